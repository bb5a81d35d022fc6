"""All jobs within the time that there is: one after the other, beside what runs in the background."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from types import FrameType

from _gpu.jobs import BUILD, Job, all_jobs, chosen_jobs, next_job
from _gpu.options import Options, Settings
from _gpu.report import write
from _gpu.requirements import advice, missing, packages
from _gpu.rows import HEADS, Row, terminal_line
from _gpu.worker import Worker

PAUSE = 0.1
"""Seconds between two looks at what the processes have done."""
OUT_OF_TIME = "out of time"


def run_session(options: Options, jobs: Sequence[Job] | None = None) -> int:
    """Run the jobs, print and write a row each; returns the process's exit code.

    Args:
        options: The command line.
        jobs: In place of all there are.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="check-gpu-") as folder:
        session = Session(options, chosen_jobs(all_jobs(options) if jobs is None else jobs, options.only), folder)
        try:
            session.run()
        except KeyboardInterrupt:
            pass
        finally:
            session.stop("interrupted")
            signal.signal(signal.SIGTERM, before)
        return 1 if any(row.status in ("wrong", "failed") for row in session.rows) else 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class Session:
    """Jobs under way and done.

    Args:
        options: The command line.
        jobs: The most important first.
        folder: For what jobs leave to each other.
    """

    def __init__(self, options: Options, jobs: list[Job], folder: str) -> None:
        self.rows: list[Row] = []
        self._options, self._jobs, self._folder = options, jobs, folder
        self._end = time.monotonic() + 60 * options.minutes
        self._pending = list(jobs)
        self._troubled: set[str] = set()
        self._ended: set[str] = set()
        self._running: list[Worker] = []

    def run(self) -> None:
        """Until everything has its row, or the time is over."""
        print(terminal_line(HEADS), flush=True)
        lacking = missing(name for job in self._jobs if self._has_meaning(job) for name in job.imports)
        if lacking:
            print(advice(lacking), file=sys.stderr, flush=True)
        while self._pending or self._running:
            if self._left() <= 0:
                self.stop(OUT_OF_TIME)
                return
            self._collect()
            self._start_next()
            time.sleep(PAUSE)

    def stop(self, reason: str) -> None:
        """End everything; what has no row gets one with the reason."""
        for worker in self._running:
            self._note(worker.job, worker.stop(reason))
        self._running.clear()
        for job in self._pending:
            self._skip(job, reason)
        self._pending.clear()

    def _left(self) -> float:
        return self._end - time.monotonic()

    def _collect(self) -> None:
        for worker in list(self._running):
            self._note(worker.job, worker.poll())
            if worker.done:
                self._running.remove(worker)
                self._ended.add(worker.job.name)

    def _start_next(self) -> None:
        busy = any(not worker.job.background for worker in self._running)
        for job in [job for job in self._pending if job.background or not busy]:
            if reason := self._hindrance(job):
                self._pending.remove(job)
                self._skip(job, reason)
        waiting = [job for job in self._pending if job.background or not busy]
        job = next_job(waiting, self._ended, self._left())
        if job is not None:
            self._pending.remove(job)
            self._running.append(Worker(job, self._settings(job), self._limit(job)))

    def _hindrance(self, job: Job) -> str | None:
        """Why a job cannot be run at all."""
        if not self._has_meaning(job):
            return "needs CUDA"
        if lacking := missing(job.imports):
            return f"needs {', '.join(lacking)}: python -m pip install {packages(lacking)}"
        broken = [name for name in job.needs if name in self._troubled]
        return f"needs '{broken[0]}', see its row" if broken else None

    def _has_meaning(self, job: Job) -> bool:
        return self._options.device == "cuda" or not job.cuda

    def _settings(self, job: Job) -> Settings:
        built = BUILD in self._ended and BUILD not in self._troubled
        return Settings(self._options.device, self._options.tiny, self._folder, built or job.name == BUILD)

    def _limit(self, job: Job) -> float:
        """Seconds for a case: in the background, all that those who wait for it can spare."""
        if not job.background:
            return job.limit
        waiting = sum(other.seconds for other in self._jobs if job.name in (*other.after, *other.needs))
        return max(self._left() - waiting, 0.5 * self._left())

    def _skip(self, job: Job, reason: str) -> None:
        self._ended.add(job.name)
        self._note(job, [Row(case.name, "not run", reason) for case in job.cases])

    def _note(self, job: Job, rows: list[Row]) -> None:
        """Print and keep rows, in the files by importance; a job went well if all of its cases did."""
        for row in rows:
            if row.status != "ok":
                self._troubled.add(job.name)
            print(terminal_line(row.cells()), flush=True)
        if rows:
            cases = [case.name for other in self._jobs for case in other.cases]
            self.rows = sorted([*self.rows, *rows], key=lambda row: cases.index(row.case))
            write(self.rows, self._options)
