"""A clip's frame as the Gaussians of the other frames show it: errors that a camera aside would see, with the truth."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.generate.source_scene import SourceScene

_SAME = 1e-5
"""Difference up to which two normalised times are one."""


def without_own(source: SourceScene, frame: int) -> LayeredGaussians:
    """The scene without what a frame itself gave, in which its neighbours live long enough to stand in at its time.

    They are drawn there as they are in the middle between two keyframes. What all keyframes gave together stays.

    Args:
        source: The clip and its scene.
        frame: Position among its frames; of one that is no keyframe nothing is left out.
    """
    if frame not in source.keyframes:
        return source.gaussians
    number, moment = source.keyframes.index(frame), float(source.times[frame])
    own = source.gaussians.frames
    return source.gaussians.replaced(FRAMES, _outliving(own[(own.keyframe != number).nonzero()[:, 0]], moment))


def _outliving(gaussians: DynamicGaussians, moment: float) -> DynamicGaussians:
    """Lives that end or begin at `moment` made twice as long on that side, with unchanged motion toward it."""
    interval = gaussians.interval.clone()
    at = interval[:, 1]
    ends, begins = ((interval[:, side] - moment).abs() < _SAME for side in (2, 0))
    interval[:, 2] = torch.where(ends, 2 * interval[:, 2] - at, interval[:, 2])
    interval[:, 0] = torch.where(begins, 2 * interval[:, 0] - at, interval[:, 0])
    # Displacements are those over the whole of a gap.
    factor = 1 + torch.stack([ends, begins], dim=1)[..., None].to(interval)
    return gaussians.with_(
        interval=interval,
        velocities=gaussians.velocities * factor,
        angular_velocities=gaussians.angular_velocities * factor,
    )
