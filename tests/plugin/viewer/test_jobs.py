"""One job at a time, with progress, an end that is told, and a way to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from neoverse_ns.console import progress
from neoverse_ns.errors import RefinementError
from neoverse_ns.plugin.viewer.jobs import Job, Jobs


def finish(
    work: Callable[[Job], str], during: Callable[[Job], None] | None = None
) -> tuple[Job, list[tuple[str, str, float]]]:
    """Run one job to its end; gives it and all that was told."""
    told: list[tuple[str, str, float]] = []
    ended = threading.Event()

    def changed(job: Job) -> None:
        told.append((job.state, job.message, job.share))
        if job.state != "running":
            ended.set()

    job = Jobs(changed).start("Work", work)
    assert job is not None
    if during is not None:
        during(job)
    assert ended.wait(10)
    return job, told


def test_progress_bars_inside_are_heard_and_the_end_is_told() -> None:
    def work(job: Job) -> str:
        with progress("drawing", 4) as steps:
            for _ in range(4):
                steps.advance()
        return "there it is"

    job, told = finish(work)
    assert (job.state, job.message, job.share) == ("done", "there it is", 1.0)
    assert [share for _, message, share in told if message == "drawing"] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_cancelling_stops_at_the_next_sign_of_progress() -> None:
    steps_done: list[int] = []
    begun = threading.Event()

    def work(job: Job) -> str:
        with progress("drawing", None) as steps:
            for i in range(1000):
                steps_done.append(i)
                begun.set()
                time.sleep(0.01)
                steps.advance()
        return "never"

    def during(job: Job) -> None:
        begun.wait(5)
        job.cancel()

    job, told = finish(work, during)
    assert job.state == "cancelled"
    assert len(steps_done) < 500
    assert told[-1][0] == "cancelled"


def test_only_one_runs_at_a_time_and_the_next_may_follow() -> None:
    go, ended = threading.Event(), threading.Event()
    jobs = Jobs(lambda job: ended.set() if job.state == "done" else None)
    assert jobs.start("First", lambda job: str(go.wait(5))) is not None
    assert jobs.start("Second", lambda job: "") is None
    go.set()
    assert ended.wait(5)
    assert jobs.start("Third", lambda job: "") is not None


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RefinementError("the model is missing: get it"), "the model is missing: get it"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        (SystemExit(1), "Work ended with 1"),
    ],
)
def test_what_goes_wrong_is_told_and_ends_only_the_job(error: BaseException, message: str) -> None:
    def work(job: Job) -> str:
        raise error

    job, _ = finish(work)
    assert (job.state, job.message) == ("failed", message)


def test_listeners_of_one_job_hear_nothing_of_other_threads() -> None:
    heard: list[str] = []

    def work(job: Job) -> str:
        with progress("mine", 1) as steps:
            steps.advance()
        return ""

    def during(job: Job) -> None:
        with progress("others'", 1) as steps:
            steps.advance()

    _, told = finish(work, during)
    heard = [message for _, message, _ in told]
    assert "others'" not in heard
