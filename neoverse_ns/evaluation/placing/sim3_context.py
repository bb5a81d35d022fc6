"""`sim3-context`: true targets, brought along by the similarity that fits the true inputs to the estimated ones."""

from __future__ import annotations

from neoverse_ns.evaluation.judges.views.task import Target, ViewTask
from neoverse_ns.evaluation.placing.placed import Placed, known_inputs, nearest_inputs, place_by_size, true_cameras
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.unseen_views import place_by_alignment


def place_sim3_context(task: ViewTask, found: PinholeCameras) -> Placed:
    """Targets in the world of `found`; see :func:`neoverse_ns.metrics.unseen_views.place_by_alignment`.

    Intrinsics are those of the nearest input as estimated, changed as the true ones differ. Inputs that stand in one
    place say nothing of the scale, which is 1 then.

    Args:
        task: With true cameras of inputs and targets.
        found: Estimated cameras of the inputs, in pixels of the task's clip.

    Raises:
        SettingsError: A true camera is not known.
    """
    true = known_inputs(task)

    def place(targets: list[Target]) -> PinholeCameras:
        return place_by_alignment(found, true, true_cameras(targets), nearest_inputs(task, targets))

    return place_by_size(task, place)
