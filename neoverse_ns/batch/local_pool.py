"""Workers as processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any

from neoverse_ns.batch.between import environment
from neoverse_ns.batch.do_job import How
from neoverse_ns.batch.pool import Ended
from neoverse_ns.batch.step import Job
from neoverse_ns.batch.worker import work

_GRACE = 5.0
"""Seconds that a worker gets to clean up before it is killed."""


@dataclass
class _Worker:
    """A process with what it is doing."""

    process: BaseProcess
    pipe: connection.Connection
    device: str | None
    job: Job | None = None
    since: float | None = None
    """When its first step began: neither imports nor waiting for another batch count as work."""
    step: str | None = None


class LocalPool:
    """Processes that are started anew where they die.

    Args:
        workers: How many at most.
        limit_seconds: After so many for one job its worker is killed; None never.
        devices: CUDA devices that workers are spread over, one each; none, or one, is left to all of them.
    """

    def __init__(self, workers: int, limit_seconds: float | None = None, devices: Sequence[str] = ()) -> None:
        self._count, self._limit, self._devices = workers, limit_seconds, list(devices)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._threads = max(cores // workers, 1) if workers > 1 else None
        self._workers: list[_Worker] = []

    def run(self, jobs: Sequence[Job], how: How) -> Iterator[Ended]:
        """See :class:`neoverse_ns.batch.pool.Pool`."""
        left = deque(jobs)
        try:
            while left or any(worker.job for worker in self._workers):
                self._hand_out(left, how)
                yield from self._ends()
        finally:
            self._end()

    def _hand_out(self, left: deque[Job], how: How) -> None:
        for worker in self._workers:
            if worker.job is None and left:
                self._give(worker, left.popleft(), how)
        while left and len(self._workers) < self._count:
            self._workers.append(self._start())
            self._give(self._workers[-1], left.popleft(), how)

    def _give(self, worker: _Worker, job: Job, how: How) -> None:
        worker.job, worker.since, worker.step = job, None, None
        # One that is dead is noticed by its end.
        with suppress(OSError):
            worker.pipe.send((job, how))

    def _ends(self) -> list[Ended]:
        """Wait for something to happen, and tell which jobs ended."""
        busy = [worker for worker in self._workers if worker.job is not None]
        handles: list[Any] = [handle for worker in busy for handle in (worker.pipe, worker.process.sentinel)]
        connection.wait(handles, self._patience(busy))
        ends = []
        for worker in busy:
            end = self._end_of(worker)
            if end is not None:
                ends.append(end)
        return ends

    def _patience(self, busy: Sequence[_Worker]) -> float | None:
        begun = [worker.since for worker in busy if worker.since is not None]
        if self._limit is None or not begun:
            return None
        return max(min(begun) + self._limit - time.monotonic(), 0.0)

    def _end_of(self, worker: _Worker) -> Ended | None:
        job = worker.job
        assert job is not None
        try:
            while worker.pipe.poll():
                kind, what = worker.pipe.recv()
                if kind == "step":
                    worker.since, worker.step = worker.since or time.monotonic(), what
                else:
                    worker.job = None
                    return Ended(job, "returned", what) if kind == "result" else Ended(job, "error", reason=what)
        except (EOFError, OSError):
            worker.process.join(_GRACE)
        if worker.process.exitcode is not None:
            self._workers.remove(worker)
            return Ended(job, "died", None, _how_it_died(worker.process.exitcode), worker.step)
        since = worker.since
        if self._limit is not None and since is not None and time.monotonic() - since >= self._limit:
            self._workers.remove(worker)
            _kill([worker])
            return Ended(job, "late", None, f"took longer than the {self._limit:g} seconds allowed", worker.step)
        return None

    def _start(self) -> _Worker:
        used = [worker.device for worker in self._workers]
        device = min(self._devices, key=used.count) if len(self._devices) > 1 else None
        # Not by fork: what CUDA and threads have begun in this process does not survive it.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self._threads), daemon=False)
        with _environment(environment(self._threads, device)):
            process.start()
        theirs.close()
        return _Worker(process, ours, device)

    def _end(self) -> None:
        """End all workers: those without work on their own account, the others at once."""
        workers, self._workers = self._workers, []
        for worker in workers:
            if worker.job is None:
                with suppress(OSError):
                    worker.pipe.send(None)
        _kill([worker for worker in workers if worker.job is not None])
        for worker in workers:
            worker.process.join(_GRACE)
        _kill([worker for worker in workers if worker.process.exitcode is None])
        for worker in workers:
            worker.pipe.close()


def _kill(workers: Sequence[_Worker]) -> None:
    """Ask them to end, and end those that do not."""
    for worker in workers:
        worker.process.terminate()
    patience = time.monotonic() + _GRACE
    for worker in workers:
        worker.process.join(max(patience - time.monotonic(), 0.0))
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()


def _how_it_died(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            remedy = ": perhaps the memory did not suffice; use fewer --workers" if -code == signal.SIGKILL else ""
            return f"its worker was ended by {name}{remedy}"
    return f"its worker ended with code {code}"


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables for processes that start within the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
