"""One surface for what stands still before a camera that stands still."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import Lifted

SAME_CAMERA = 1e-6
"""Largest difference in any entry of two cameras' matrices that stand in the same place."""
SAME_COLOUR = 8 / 255
"""Largest departure of a keyframe's colour, in the mean of 3x3 pixels, from the median of all keyframes."""


def still_pixels(clip: Clip, geometry: SceneGeometry) -> Bool[Tensor, "h w"]:
    """Pixels that show the same in all keyframes, of a camera that neither moves nor zooms; none for other cameras.

    Args:
        clip: The frames; only the keyframes' pixels are read, and what they ignore is not still.
        geometry: Cameras and motion masks of the keyframes.
    """
    keyframes, cameras = geometry.keyframes, geometry.cameras
    moves = geometry.dynamic.any(0)
    c2w, K = cameras.c2w[keyframes], cameras.K[keyframes]
    stands = all(bool(((m - m[0]).abs() <= SAME_CAMERA).all()) for m in (c2w, K))
    if len(keyframes) < 2 or not stands:
        return torch.zeros_like(moves)
    images = clip.frames[keyframes].to(torch.float32).permute(0, 3, 1, 2) / 255
    smooth = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    departure = (smooth - smooth.median(0).values).abs().amax((0, 1))
    still = ~moves & (departure <= SAME_COLOUR)
    return still if clip.ignored is None else still & ~clip.ignored[keyframes].any(0)


def with_one_surface(lifted: Lifted, still: Bool[Tensor, "h w"]) -> Lifted:
    """Let one keyframe's Gaussians stand for what is still in all of them.

    Two keyframes' copies of one surface are drawn through each other wherever both are alive, softer than either
    alone, and each has the noise of its own frame. One copy that is always there has neither fault, and is fitted to
    every frame.

    Args:
        lifted: As :func:`neoverse_ns.reconstruct.bundle.lifting.keyframe_lift.lift` makes them.
        still: As :func:`still_pixels` finds them.

    Returns:
        The Gaussians; those of the middle one of the keyframes that show all still pixels are constant there and have
        the mean colour, and the others have none.
    """
    whole = [number for number, pixels in enumerate(lifted.pixels) if bool((pixels | ~still).all())]
    middle, gaussians = whole[len(whole) // 2], lifted.gaussians
    rows = lifted.rows(middle, still)
    names = ("sh", "velocities", "angular_velocities", "dynamic")
    changes = {name: getattr(gaussians, name).clone() for name in names}
    changes["sh"][rows] = torch.stack([gaussians.sh[lifted.rows(number, still)] for number in whole]).mean(0)
    for name in names[1:]:
        changes[name][rows] = 0
    pixels = lifted.pixels & ~still
    pixels[middle] |= still
    return Lifted(gaussians.with_(**changes)[pixels[lifted.pixels]], pixels)
