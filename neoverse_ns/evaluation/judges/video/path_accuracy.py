"""What an estimator makes of one video's cameras, against those that were asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import NeoVerseError, PackageError
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CameraTask
from neoverse_ns.metrics.generated_path import PATH_ACCURACY, UNSOLVED_DEGREES, UNSOLVED_SHARE

ROTATION, TRANSLATION, MOTION = "rot", "trans", "mc"
"""Behind a measure's id: RotErr, TransErr and CamMC."""
WITH_UNSOLVED = "all"
"""Behind these: over all videos, those without cameras counted with 180 degrees, or with the extent of the path."""


@dataclass
class Followed:
    """One video's path.

    Attributes:
        values: Errors by `rot`, `trans`, `mc`, as far as they are defined.
        placed: Number of frames that were given a camera.
        frames: Number of frames.
        unsolved: Why the video counts as unsolved; None where it does not.
        reason: Why an error is not defined; None where all are.
        seconds: Of the estimator's stages.
        peak_gb: Its most memory; None where the system does not tell.
        report: What it says of itself.
    """

    values: dict[str, float]
    placed: int
    frames: int
    unsolved: str | None = None
    reason: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    peak_gb: float | None = None
    report: dict[str, Any] = field(default_factory=dict)

    def rows(self, measure: str) -> dict[str, float]:
        """Values under their full ids, those with failures counted included; the latter in ReDirector's units alone,
        as sums over frames know no worst."""
        rows = {f"{measure}-{name}": value for name, value in self.values.items()}
        if measure == "camera-redirector":
            worst = {ROTATION: UNSOLVED_DEGREES, TRANSLATION: UNSOLVED_SHARE}
            counted = worst if self.unsolved is not None else self.values
            rows |= {f"{measure}-{name}-{WITH_UNSOLVED}": counted[name] for name in worst if name in counted}
        return rows


def follow(measure: str, method: CameraMethod, task: CameraTask, requested: Float[Tensor, "n 4 4"]) -> Followed:
    """Let the estimator find the cameras of a video, and compare them with those asked for.

    A video counts as solved where every frame was placed: what a few frames show of a path says little of the others.

    Args:
        measure: Id in `PATH_ACCURACY`.
        method: The estimator.
        task: The video's frames.
        requested: Cameras of the same frames, in any world.

    Raises:
        PackageError: The estimator cannot be run here at all.
    """
    count = len(task.clip)
    try:
        found = method.solve(task)
    except PackageError:
        raise
    except NeoVerseError as error:
        return Followed({}, 0, count, unsolved=str(error))
    kept = Followed({}, 0, count, None, None, dict(found.seconds), found.peak_gb, dict(found.report))
    if found.cameras is None:
        kept.unsolved = found.failed or f"{method.name} found no cameras"
        return kept
    # Our solver carries frames that nothing links to the others along; these are no answer.
    unlinked = set(found.report.get("unlinked_frames", ()))
    finite = found.cameras.c2w.isfinite().flatten(1).all(1).tolist()
    kept.placed = sum(ok and frame not in unlinked for frame, ok in enumerate(finite))
    if kept.placed < count:
        kept.unsolved = f"{method.name} placed {kept.placed} of {count} frames"
        return kept
    accuracy = PATH_ACCURACY[measure](found.cameras.c2w, requested)
    values = {ROTATION: accuracy.rotation, TRANSLATION: accuracy.translation, MOTION: accuracy.motion}
    kept.values = {name: value for name, value in values.items() if value is not None and math.isfinite(value)}
    kept.reason = accuracy.reason
    return kept
