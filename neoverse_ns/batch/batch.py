"""Many clips, the same steps: what is done is skipped, what fails is noted, and what is left is done by a pool."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from contextlib import closing

from neoverse_ns.batch.do_job import LOCK, How
from neoverse_ns.batch.files import sweep, unfinished
from neoverse_ns.batch.lock import locked
from neoverse_ns.batch.pool import Ended, Pool
from neoverse_ns.batch.records import Failure, note_failure
from neoverse_ns.batch.step import Job
from neoverse_ns.batch.survey import StepState, settled, survey
from neoverse_ns.batch.table import BatchTable, Row
from neoverse_ns.console import Steps, progress, say, warn
from neoverse_ns.errors import RunError

_WRITE_EVERY = 2.0
"""Seconds between two writings of the table while clips end in quick succession."""


def look(jobs: Sequence[Job]) -> BatchTable:
    """How far every clip is, without doing anything."""
    rows = []
    with progress("looking at what is done", len(jobs)) as steps:
        for job in jobs:
            rows.append(Row(job, survey(job)))
            steps.advance()
    return BatchTable(rows)


def run_batch(jobs: Sequence[Job], pool: Pool, retry_failed: bool = False) -> BatchTable:
    """Do all jobs that are not done yet, and write the table into the output's folder.

    Whatever interrupts it, of each step everything is there or nothing, and another call goes on with what is left. Two
    calls may run at once: each does the clips that the other one is not at, and waits for those in the end.

    Args:
        jobs: One a clip, all with the same output.
        pool: Where they run.
        retry_failed: Try again what failed before; else it is only listed.

    Returns:
        The table, as it was written.

    Raises:
        RunError: The output cannot be written.
        KeyboardInterrupt: As it came, after all work has ended.
    """
    if not jobs:
        return BatchTable([])
    output = jobs[0].output
    try:
        output.mkdir(parents=True, exist_ok=True)
        return _Batch(jobs, retry_failed).run(pool)
    except OSError as error:
        raise RunError(f"cannot write to {output} ({error.strerror or error}): choose another output") from error


class _Batch:
    """The rows while they change."""

    def __init__(self, jobs: Sequence[Job], retry_failed: bool) -> None:
        self._rows = {row.job.name: row for row in look(jobs).rows}
        self._retry, self._output, self._written = retry_failed, jobs[0].output, 0.0

    def run(self, pool: Pool) -> BatchTable:
        left = [row.job for row in self._rows.values() if not settled(row.states, self._retry)]
        if len(left) < len(self._rows):
            over = BatchTable([row for row in self._rows.values() if row.job not in left]).counts()
            say(f"nothing left to do for {len(self._rows) - len(left)} of {len(self._rows)} clips: {over}")
        if not left:
            return self._write()
        try:
            with progress(f"{len(left)} clips", len(left)) as steps:
                again = self._pass(pool, left, steps, wait=False)
                # Those that another batch was at, and those whose worker was killed, which get one more try.
                last = self._pass(pool, again, steps, wait=True) if again else []
                steps.advance(len(last))
        finally:
            self._tidy(left)
            table = self._write()
        return table

    def _pass(self, pool: Pool, jobs: Sequence[Job], steps: Steps, wait: bool) -> list[Job]:
        """Do jobs, and return those that are worth another try."""
        again: list[Job] = []
        ends = pool.run(jobs, How(self._retry, wait))
        # Closed even where what follows an end fails, so that no work goes on unseen.
        with closing(ends):  # type: ignore[type-var]
            for end in ends:
                if self._take(end):
                    again.append(end.job)
                else:
                    steps.advance()
                self._write(_WRITE_EVERY)
        return again

    def _take(self, end: Ended) -> bool:
        """Note how a job ended; True where it should be tried again."""
        job, name = end.job, end.job.name
        if end.how == "returned" and end.result is not None:
            if end.result.busy:
                say(f"{name}: another batch is at it")
                return True
            self._rows[name] = Row(job, end.result.states)
            _tell(self._rows[name])
            return False
        if end.how == "error":
            self._rows[name] = Row(job, survey(job), end.reason)
        else:
            self._rows[name] = Row(job, _after_death(job, end))
        for line in self._rows[name].reasons():
            warn(line)
        # A step that took too long is over; what does not depend on it is not.
        late = end.how == "late" and any(state.state == "to do" for state in self._rows[name].states)
        return end.how == "died" or late

    def _tidy(self, jobs: Sequence[Job]) -> None:
        """Remove what killed workers left, but nothing of another batch's."""
        for job in jobs:
            if job.folder.is_dir() and unfinished(job.folder):
                with locked(job.folder / LOCK) as held:
                    if held:
                        sweep(job.folder)

    def _write(self, not_within: float = 0.0) -> BatchTable:
        table = BatchTable(list(self._rows.values()))
        if not not_within or time.monotonic() - self._written > not_within:
            table.write(self._output)
            self._written = time.monotonic()
        return table


def _after_death(job: Job, end: Ended) -> list[StepState]:
    """States after a worker was killed: what took too long has failed; else what it was at is left to do."""
    # It may have been killed before it had begun.
    job.folder.mkdir(parents=True, exist_ok=True)
    with locked(job.folder / LOCK) as held:
        at_work = {end.step} if end.step else set(unfinished(job.folder)) if held else set()
        states = survey(job)
        if held and end.how == "late":
            for state in states:
                if state.step.name in at_work:
                    note_failure(job.folder, state.step.name, Failure(state.fingerprint, end.reason, time.time()))
            states = survey(job)
        if held:
            sweep(job.folder)
    # Without a trace it was killed between two steps.
    first = next((state.step.name for state in states if state.state == "to do"), None)
    hit = at_work or ({first} if first else set())
    if end.how == "late":
        return states
    return [
        dataclasses.replace(state, state="killed", reason=end.reason) if state.step.name in hit else state
        for state in states
    ]


def _tell(row: Row) -> None:
    if row.state == "done":
        say(f"{row.job.name}: done, {row.seconds:.1f} s")
    for line in row.reasons():
        warn(line)
