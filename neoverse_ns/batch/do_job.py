"""One clip's steps, one after the other, in whichever process this runs."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

from neoverse_ns.batch.files import draft_of, step_folder, sweep
from neoverse_ns.batch.lock import locked
from neoverse_ns.batch.log import LOG, printing_to, say_final_paths
from neoverse_ns.batch.records import Done, Failure, note_failure
from neoverse_ns.batch.step import Job, StepPlace
from neoverse_ns.batch.survey import StepState, survey
from neoverse_ns.errors import NeoVerseError, ReconstructionError

LOCK = ".lock"
"""Name of the file in a clip's folder whose lock a worker holds while it is at that clip."""


@dataclass(frozen=True)
class How:
    """How a worker goes about a clip.

    Attributes:
        retry_failed: Try again what failed before.
        wait: Wait for another batch that is at this clip, instead of leaving it to that one.
        log: Whether what is printed goes to the clip's log.
    """

    retry_failed: bool = False
    wait: bool = False
    log: bool = True


@dataclass(frozen=True)
class JobResult:
    """How far a clip came.

    Attributes:
        states: Of its steps; empty where another batch is at it.
        busy: Whether another one is.
    """

    states: list[StepState] = field(default_factory=list)
    busy: bool = False


def do_job(job: Job, how: How, tell: Callable[[str], None] | None = None) -> JobResult:
    """Do all that is left to do of a clip; what goes wrong is noted in its folder and stops no other clip.

    Args:
        job: What is to be done.
        how: See :class:`How`.
        tell: Called with the name of each step before it is begun.

    Raises:
        OSError: The output cannot be written.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    with locked(job.folder / LOCK, how.wait) as held:
        if not held:
            return JobResult(busy=True)
        sweep(job.folder)
        tried: set[str] = set()
        with printing_to(job.folder / LOG) if how.log else nullcontext():
            # What a step makes decides on the ones after it, so that states are looked at anew each time.
            while (state := _next(survey(job), how.retry_failed, tried)) is not None:
                tried.add(state.step.name)
                if tell is not None:
                    tell(state.step.name)
                _do(job, state)
        return JobResult(survey(job))


def _next(states: list[StepState], retry_failed: bool, tried: set[str]) -> StepState | None:
    open_states = ("to do", "failed") if retry_failed else ("to do",)
    return next((state for state in states if state.state in open_states and state.step.name not in tried), None)


def _do(job: Job, state: StepState) -> None:
    """Run a step and note how it ended."""
    step, started = state.step, time.time()
    print(f"--- {step.name}, {time.strftime('%Y-%m-%d %H:%M:%S')}", flush=True)
    log, final = job.folder / LOG, job.folder / step.name
    start = log.stat().st_size if log.is_file() else 0
    clock = time.perf_counter()
    try:
        if step.needs_scene and (state.scene is None or not state.scene.is_dir()):
            raise ReconstructionError(
                f"there is no scene of {job.name} to start from: let reconstruct or train make one"
            )
        with step_folder(final) as folder:
            numbers = step.work(StepPlace(job.clip, job.name, folder, state.scene))
            seconds = time.perf_counter() - clock
            # JSON has no other numbers than finite ones.
            plain = {name: float(value) for name, value in (numbers or {}).items() if math.isfinite(value)}
            done = Done(
                *(state.fingerprint, step.makes_scene, round(seconds, 3), time.time(), str(job.clip)),
                settings=list(step.settings),
                numbers=plain,
            )
            done.write(folder)
        say_final_paths(log, start, draft_of(final).name, final.name)
        print(f"done in {seconds:.1f} s: {final}", flush=True)
        note_failure(job.folder, step.name, None)
    except (Exception, SystemExit) as error:
        if not isinstance(error, NeoVerseError):
            traceback.print_exc()
        reason = reason_of(error)
        print(f"failed: {reason}", flush=True)
        note_failure(job.folder, step.name, Failure(state.fingerprint, reason, started))


def reason_of(error: BaseException) -> str:
    """An error in one line; those that users cannot act on by their kind, too."""
    text = " ".join(str(error).split())
    if isinstance(error, NeoVerseError):
        return text
    return f"{type(error).__name__}: {text} (see {LOG})" if text else f"{type(error).__name__} (see {LOG})"
