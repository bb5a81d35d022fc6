"""Placing by name: the one way from a protocol's word to cameras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.judges.views.task import ViewTask
from neoverse_ns.evaluation.placing.beside import place_beside
from neoverse_ns.evaluation.placing.given import place_given
from neoverse_ns.evaluation.placing.placed import Placed
from neoverse_ns.evaluation.placing.predict_all import Together, place_predict_all, together
from neoverse_ns.evaluation.placing.sim3_context import place_sim3_context
from neoverse_ns.evaluation.protocol.protocol import Cameras
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras

SolveTogether = Callable[[Together], PinholeCameras]
"""Cameras of a clip of inputs and targets, by the solver that found those of the scene."""


@dataclass(frozen=True)
class Placing:
    """A way to place judged cameras.

    Attributes:
        looks_at_targets: Whether anybody sees their pictures for it, be it the camera solver alone.
        title: For people.
    """

    looks_at_targets: bool
    title: str


PLACINGS: dict[Cameras, Placing] = {
    "given": Placing(False, "inputs and targets have the data set's cameras"),
    "sim3-context": Placing(False, "true targets, by the similarity between true and estimated inputs"),
    "beside": Placing(False, "relative to the input of the same time; errors of the path are left out"),
    "predict-all": Placing(True, "solved together with the inputs, whose mean distances give the scale"),
    "predict-all-signed": Placing(True, "as predict-all, with the ratio of signed means, as AnySplat's evaluation"),
    "requested": Placing(False, "those that a video was asked to follow"),
    "none": Placing(False, "no cameras"),
}


def looks_at_targets(cameras: Cameras, tto: int) -> bool:
    """Whether a protocol lets pictures of targets be looked at for their cameras."""
    return PLACINGS[cameras].looks_at_targets or tto > 0


def place(
    task: ViewTask,
    found: PinholeCameras,
    world: Sim3 | None = None,
    solve: SolveTogether | None = None,
    chained: bool = True,
) -> Placed:
    """All targets of a task as its protocol wants them placed, before anything photometric.

    Args:
        task: What is asked.
        found: Cameras of its inputs as the scene has them, in pixels of the task's clip.
        world: See :func:`neoverse_ns.evaluation.placing.given.place_given`.
        solve: Solves inputs and targets together; only asked where the protocol says so.
        chained: See :func:`neoverse_ns.evaluation.placing.predict_all.together`.

    Raises:
        SettingsError: The task lacks what this placing needs.
    """
    if len(found) != len(task.names):
        raise SettingsError(f"{task.scene}: {len(found)} cameras were found for {len(task.names)} inputs")
    if task.placing == "given":
        return place_given(task, found, world)
    if task.placing == "sim3-context":
        return place_sim3_context(task, found)
    if task.placing == "beside":
        return place_beside(task, found)
    if task.placing in ("none", "requested"):
        raise SettingsError(f"{task.scene}: a protocol without cameras shows no views")
    if solve is None:
        raise SettingsError(f"{task.scene}: {task.placing} needs a method that finds cameras")
    joint = together(task, chained)
    return place_predict_all(task, found, joint, solve(joint), task.placing == "predict-all-signed")
