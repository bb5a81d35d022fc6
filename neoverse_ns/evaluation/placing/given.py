"""`given`: inputs and targets both have the data set's cameras."""

from __future__ import annotations

from neoverse_ns.evaluation.judges.views.task import Target, ViewTask
from neoverse_ns.evaluation.placing.placed import Placed, place_by_size, true_cameras
from neoverse_ns.evaluation.placing.sim3_context import place_sim3_context
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras


def place_given(task: ViewTask, found: PinholeCameras, world: Sim3 | None) -> Placed:
    """Targets in the world of a scene that was made with given cameras.

    Args:
        task: With true cameras of the targets.
        found: Cameras of the inputs as the scene has them.
        world: From the given world to the scene's, where the scene kept the given cameras as they are; None for a
            network, which was told them and may have found others: then they are placed by the similarity between both.

    Raises:
        SettingsError: A true camera is not known.
    """
    if world is None:
        return place_sim3_context(task, found)

    def place(targets: list[Target]) -> PinholeCameras:
        true = true_cameras(targets)
        return PinholeCameras(world.apply_c2w(true.c2w), true.K, true.width, true.height)

    return place_by_size(task, place)
