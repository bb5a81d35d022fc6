"""Where jobs run: something that takes them, and tells of each how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from neoverse_ns.batch.do_job import How, JobResult
from neoverse_ns.batch.step import Job


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Attributes:
        job: Which one.
        how: `returned`; `died`, its worker having been killed; `late`, after more than the allowed seconds; `error`,
            such as an output that cannot be written.
        result: Where it returned.
        reason: Else, in a line.
        step: That was being done, where the pool knows.
    """

    job: Job
    how: Literal["returned", "died", "late", "error"]
    result: JobResult | None = None
    reason: str = ""
    step: str | None = None


@runtime_checkable
class Pool(Protocol):
    """Workers."""

    def run(self, jobs: Sequence[Job], how: How) -> Iterator[Ended]:
        """Do all jobs, in any order; closing the iterator ends all work that is being done, and waits for that."""
        ...
