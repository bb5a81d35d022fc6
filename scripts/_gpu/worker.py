"""A job in processes of its own: a case that hangs, crashes or ends its process costs its row alone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from _gpu.child import FRESH, LOG_LINES
from _gpu.jobs import Job
from _gpu.options import Settings, threads
from _gpu.rows import Row, one_line

SCRIPTS = Path(__file__).resolve().parents[1]


class Worker:
    """A job under way.

    Args:
        job: With at least one case.
        settings: For its cases.
        limit: Seconds after which a case is given up.
    """

    def __init__(self, job: Job, settings: Settings, limit: float) -> None:
        self.job = job
        self._settings, self._limit = settings, limit
        self._left = list(job.cases)
        stem = job.name.replace(" ", "_")
        folder = Path(settings.folder)
        self._order, self._rows, self._log = (folder / f"{stem}.{kind}" for kind in ("order", "rows", "log"))
        self._read = 0
        self._process = self._start()
        self._since = time.monotonic()

    @property
    def done(self) -> bool:
        """Whether every case has its row, and no process is left."""
        return not self._left and self._process.poll() is not None

    def poll(self) -> list[Row]:
        """Rows that have come since; starts another process for what a dead one has left."""
        ended = self._process.poll() is not None
        rows = self._new_rows()
        if not self._left:
            # What is left to do at exit (freeing a GPU's memory) is given the time of one case.
            if not ended and time.monotonic() - self._since > self._limit:
                self._kill()
            return rows
        late = time.monotonic() - self._since > self._limit
        if not (ended or late):
            return rows
        code = self._process.returncode
        self._kill()
        if code is None:
            rows.append(self._blame(f"gave no result within {self._limit:.0f} s"))
        elif code != FRESH:
            rows.append(self._blame(f"its process ended: {_how(code)}"))
        if self._left:
            self._process = self._start()
            self._since = time.monotonic()
        return rows

    def stop(self, reason: str) -> list[Row]:
        """End it now; cases without a row get one with the reason."""
        self._kill()
        rows = self._new_rows()
        rows += [Row(case.name, "not run", reason) for case in self._left]
        self._left.clear()
        return rows

    def _start(self) -> subprocess.Popen[bytes]:
        order = {
            "module": self.job.module,
            "cases": [asdict(case) for case in self._left],
            "settings": asdict(self._settings),
            "rows": str(self._rows),
        }
        self._order.write_text(json.dumps(order), "utf8")
        paths = [str(SCRIPTS), str(SCRIPTS.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {"OMP_NUM_THREADS": str(threads()), "OMP_WAIT_POLICY": "PASSIVE"} | os.environ
        environment |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
        with self._log.open("wb") as log:
            # A session of its own, so that compilers it started end with it.
            return subprocess.Popen(
                [sys.executable, "-m", "_gpu.child", str(self._order)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def _new_rows(self) -> list[Row]:
        if not self._rows.is_file():
            return []
        text = self._rows.read_text("utf8")
        # A line without its end is still being written.
        lines = text[self._read :].splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        self._read += sum(len(line) for line in whole)
        rows = [self._with_output(Row.from_json(line)) for line in whole]
        if rows:
            del self._left[: len(rows)]
            self._since = time.monotonic()
        return rows

    def _blame(self, reason: str) -> Row:
        """The row of the case that was running."""
        printed = self._printed()
        last = next((line for line in reversed(printed) if line.strip()), "")
        text = one_line(f"{reason}; last printed: {last}" if last else reason)
        return Row(self._left.pop(0).name, "failed", text, time.monotonic() - self._since, {}, "\n".join(printed))

    def _with_output(self, row: Row) -> Row:
        """A failure with what its process had printed before."""
        return row if row.status != "failed" else replace(row, log="\n".join([*self._printed(), row.log]))

    def _printed(self) -> list[str]:
        """The last lines that the process printed."""
        return self._log.read_text("utf8", "replace").splitlines()[-LOG_LINES:]

    def _kill(self) -> None:
        """End the process with all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
