"""How far a clip is, by what lies in its folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from neoverse_ns.batch.records import Failure, clip_digest, fingerprint, latest_scene, read_done, read_failures
from neoverse_ns.batch.step import SCENE, Job, Step

State = Literal["done", "failed", "killed", "waiting", "to do"]
"""`killed`: its worker ended in the middle of it; `waiting`: on the scene that another step did not make."""


@dataclass(frozen=True)
class StepState:
    """A step of one clip.

    Attributes:
        step: What it is.
        state: See :data:`State`.
        fingerprint: See :func:`neoverse_ns.batch.records.fingerprint`.
        scene: Where the scene lies, or will lie, that it takes; None for steps that need none.
        seconds: That it took, where it is done.
        reason: Why it failed, or waits.
        numbers: What it measured.
        finished: When it was done or failed, in seconds since 1970.
    """

    step: Step
    state: State
    fingerprint: str
    scene: Path | None = None
    seconds: float | None = None
    reason: str = ""
    numbers: dict[str, float] = field(default_factory=dict)
    finished: float | None = None


def survey(job: Job) -> list[StepState]:
    """States of all steps, that which makes the scene included where it is needed."""
    digest = clip_digest(job.clip)
    failures = read_failures(job.folder)
    steps, scene, maker = list(job.steps), None, None
    if not any(step.makes_scene and not step.needs_scene for step in steps):
        known, own = latest_scene(job), job.scene_step
        if known is not None and own is not None and known[1].fingerprint == fingerprint(own, digest, None):
            # As it stands, so that the table has what it took.
            steps.insert(0, own)
        elif known is not None:
            scene, maker = known[0] / SCENE, known[1].fingerprint
        elif job.scene_step is not None and any(step.needs_scene for step in steps):
            steps.insert(0, job.scene_step)
    states: list[StepState] = []
    blocked = ""
    for step in steps:
        mark = fingerprint(step, digest, maker)
        state = _state(job, step, mark, scene if step.needs_scene else None, failures)
        if blocked and step.needs_scene and state.state != "done":
            state = StepState(step, "waiting", mark, reason=blocked)
        states.append(state)
        if step.makes_scene:
            scene, maker = job.folder / step.name / SCENE, mark
            blocked = f"on {step.name}" if state.state == "failed" else ""
    return states


def _state(job: Job, step: Step, mark: str, scene: Path | None, failures: dict[str, Failure]) -> StepState:
    done = read_done(job.folder / step.name)
    if done is not None and done.fingerprint == mark:
        return StepState(step, "done", mark, scene, done.seconds, numbers=done.numbers, finished=done.finished)
    failure = failures.get(step.name)
    if failure is not None and failure.fingerprint == mark:
        return StepState(step, "failed", mark, scene, reason=failure.reason, finished=failure.when)
    return StepState(step, "to do", mark, scene)


def settled(states: list[StepState], retry_failed: bool) -> bool:
    """Whether there is nothing left to try."""
    over = {"done"} if retry_failed else {"done", "failed", "waiting"}
    return all(state.state in over for state in states)
