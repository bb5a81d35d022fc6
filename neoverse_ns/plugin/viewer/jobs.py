"""Long work that a browser asked for: one job at a time, beside drawing, with progress and a way to stop it."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from neoverse_ns.console import CONSOLE, listening, warn
from neoverse_ns.errors import NeoVerseError

State = Literal["running", "done", "cancelled", "failed"]


class Cancelled(Exception):
    """Raised inside a job, at its next sign of progress, once somebody has cancelled it."""


@dataclass
class Job:
    """One piece of work, as those who show it see it.

    Attributes:
        name: What it does.
        state: How it stands.
        message: What it is at, or how it ended.
        share: How much of the present step is done, 0 to 1.
    """

    name: str
    state: State = "running"
    message: str = ""
    share: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Ask it to stop; it does so at its next sign of progress."""
        self._stop.set()

    def check(self) -> None:
        """Raise Cancelled where somebody has cancelled it."""
        if self._stop.is_set():
            raise Cancelled

    def progressed(self, what: str, done: int, total: int | None) -> None:
        """A step of it went on."""
        self.check()
        self.message, self.share = what, 0.0 if not total else min(done / total, 1.0)


class Jobs:
    """Runs them.

    Args:
        changed: Told of a job whenever something about it has; called from the job's own thread.
    """

    def __init__(self, changed: Callable[[Job], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self.current: Job | None = None

    def start(self, name: str, work: Callable[[Job], str]) -> Job | None:
        """Begin.

        Args:
            name: What is done, as a short phrase.
            work: Does it in a thread of its own and returns one line that says what came out. Progress bars of
                :mod:`neoverse_ns.console` that it opens count as signs of progress.

        Returns:
            The job, or None where another one is running.
        """
        with self._lock:
            if self.current is not None and self.current.state == "running":
                return None
            job = Job(name)
            self.current = job
        threading.Thread(target=self._run, args=(job, work), name=f"neoverse-{name}", daemon=True).start()
        return job

    def _run(self, job: Job, work: Callable[[Job], str]) -> None:
        def progressed(what: str, done: int, total: int | None) -> None:
            job.progressed(what, done, total)
            self._changed(job)

        self._changed(job)
        try:
            with listening(progressed):
                message = work(job)
            # Nobody shall be told that something was stopped which is there.
            job.state, job.message, job.share = "done", message, 1.0
        except Cancelled:
            job.state, job.message = "cancelled", f"{job.name}: cancelled"
        except NeoVerseError as error:
            job.state, job.message = "failed", str(error)
            warn(f"{job.name}: {error}")
        except SystemExit as error:
            job.state, job.message = "failed", f"{job.name} ended with {error.code}"
        except Exception as error:
            job.state, job.message = "failed", f"{type(error).__name__}: {error}"
            CONSOLE.print(traceback.format_exc(), markup=False, highlight=False)
        self._changed(job)
