"""`beside`: every target relative to the input camera that stood beside it at the same time."""

from __future__ import annotations

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.judges.views.task import Target, ViewTask
from neoverse_ns.evaluation.placing.placed import Placed, known_inputs, place_by_size, true_cameras
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.unseen_views import place_beside as beside_own


def place_beside(task: ViewTask, found: PinholeCameras) -> Placed:
    """Targets in the world of `found`, errors of the path left out.

    See :func:`neoverse_ns.metrics.unseen_views.place_beside`.

    Args:
        task: With true cameras of inputs and targets.
        found: Estimated cameras of the inputs, in pixels of the task's clip.

    Raises:
        SettingsError: A true camera is not known, or a target has no input of its own time.
    """
    true = known_inputs(task)

    def place(targets: list[Target]) -> PinholeCameras:
        own = [target.beside for target in targets if target.beside is not None]
        if len(own) < len(targets):
            alone = next(target.name for target in targets if target.beside is None)
            raise SettingsError(f"{alone}: no input was taken at its time, so that it stands beside none")
        return beside_own(found, true, true_cameras(targets), own)

    return place_by_size(task, place)
