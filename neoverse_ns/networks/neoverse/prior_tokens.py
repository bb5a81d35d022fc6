"""Known cameras or depth that the network may be told, brought to the form it was trained with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry import quaternions

_MANY_VIEWS = 10
"""Beyond so many cameras the box around them ignores outliers."""
_MANY_PIXELS = 100
"""Up to so many measured pixels a depth map's range is its minimum and maximum."""
_PADDING = 0.1
"""Free border of the unit cube on every side."""
_EPSILON = 1e-6


@dataclass(frozen=True)
class PriorTokens:
    """Priors in the trunk's own units; what is None is unknown.

    Attributes:
        pose: Position in the clip's unit cube and quaternion xyzw (w >= 0) of the camera-to-world poses.
        rays: fx/W, fy/H, cx/W, cy/H.
        depth: Each frame's depth, its 1st to 99th percentile stretched to [0, 1].
    """

    pose: Float[Tensor, "b s 7"] | None = None
    rays: Float[Tensor, "b s 4"] | None = None
    depth: Float[Tensor, "b s h w"] | None = None

    def frames(self, index: list[int]) -> PriorTokens:
        """Those of the frames `index`, in that order."""
        values = (self.pose, self.rays, self.depth)
        return PriorTokens(*(None if value is None else value[:, index] for value in values))


@dataclass(frozen=True)
class Priors:
    """What is known beforehand; each one that is given switches its input on.

    Attributes:
        c2w: Camera-to-world poses, OpenCV axes, any world and scale.
        K: Intrinsics in pixels of the images that the network sees.
        depth: z-depth, any scale; zero, negative and NaN pixels are unmeasured. Resized where its size differs from
            the images'.
    """

    c2w: Float[Tensor, "b s 4 4"] | None = None
    K: Float[Tensor, "b s 3 3"] | None = None
    depth: Float[Tensor, "b s dh dw"] | None = None

    def tokens(self, height: int, width: int) -> PriorTokens:
        """The form the trunk reads, for images of `height` x `width` pixels.

        Raises:
            SettingsError: A pose is not finite.
        """
        return PriorTokens(
            pose=None if self.c2w is None else normalize_poses(self.c2w),
            rays=None if self.K is None else normalize_intrinsics(self.K, height, width),
            depth=None if self.depth is None else normalize_depth(_resized(self.depth, height, width)),
        )


def normalize_poses(c2w: Float[Tensor, "b s 4 4"]) -> Float[Tensor, "b s 7"]:
    """Positions moved into the unit cube with a border of 0.1, one centre and scale per clip, and unit quaternions.

    The box is that of all positions up to 10 views, and of their 5th to 95th percentile beyond, where outliers are
    clamped to the cube.

    Raises:
        SettingsError: A pose is not finite.
    """
    if not bool(torch.isfinite(c2w).all()):
        raise SettingsError("a camera pose given as a prior is not finite: leave the pose prior out, or repair it")
    positions = c2w[..., :3, 3]
    if positions.shape[1] > _MANY_VIEWS:
        low, high = torch.quantile(positions, 0.05, dim=1), torch.quantile(positions, 0.95, dim=1)
    else:
        low, high = positions.amin(1), positions.amax(1)
    floor = (high.abs() * _EPSILON).clamp_min(_EPSILON)
    extent = torch.maximum(high - low, floor).amax(-1).clamp(_EPSILON, 1 / _EPSILON)
    scale = extent / (1 - 2 * _PADDING)
    centred = positions - ((low + high) / 2)[:, None]
    inside = (centred / scale[:, None, None] + 0.5).clamp(0, 1)
    wxyz = quaternions.from_matrix(c2w[..., :3, :3])
    return torch.cat([inside, wxyz[..., 1:], wxyz[..., :1]], dim=-1)


def normalize_intrinsics(K: Float[Tensor, "b s 3 3"], height: int, width: int) -> Float[Tensor, "b s 4"]:
    """Focal lengths and principal point as fractions of the image: fx/W, fy/H, cx/W, cy/H."""
    values = [K[..., 0, 0] / width, K[..., 1, 1] / height, K[..., 0, 2] / width, K[..., 1, 2] / height]
    return torch.stack(values, dim=-1)


def normalize_depth(depth: Float[Tensor, "b s h w"]) -> Float[Tensor, "b s h w"]:
    """Each frame's 1st to 99th percentile of positive depths stretched to [0, 1], the rest clamped."""
    frames = torch.nan_to_num(depth, nan=0.0, posinf=1 / _EPSILON, neginf=0.0).flatten(0, 1)
    # The number of measured pixels differs from frame to frame, so that quantiles are taken one by one.
    low, high = torch.stack([_depth_range(frame) for frame in frames]).unbind(-1)
    high = torch.where(high == low, low + 1, high)
    span = high - low
    span = span + (span * _EPSILON).clamp_min(_EPSILON)
    scaled = (frames - low[:, None, None]) / span[:, None, None]
    return scaled.clamp(0, 1).unflatten(0, depth.shape[:2])


def _depth_range(frame: Float[Tensor, "h w"]) -> Float[Tensor, "2"]:
    measured = frame[frame > 0]
    values = measured if len(measured) else frame.flatten()
    if len(values) <= _MANY_PIXELS:
        return torch.stack([values.amin(), values.amax()])
    return torch.stack([torch.quantile(values, 0.01), torch.quantile(values, 0.99)])


def _resized(depth: Float[Tensor, "b s dh dw"], height: int, width: int) -> Float[Tensor, "b s h w"]:
    if depth.shape[-2:] == (height, width):
        return depth
    return F.interpolate(depth, size=(height, width), mode="bilinear", align_corners=False)
