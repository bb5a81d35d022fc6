"""Whether a camera path goes through what the clip saw as solid.

A place is free where any of the clip's cameras sees past it, and hidden where every one that looks there sees a surface
before it. A path that becomes hidden has either gone behind something's edge, which is allowed, or through a surface.
What tells them apart is how near the surface was when the place was last free: at an edge there is a gap, at a surface
there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project

TOUCHING = 0.05
"""Gap before a surface, as a share of its depth, below which it has been reached: about the error of depth."""
HIDDEN = 0.02
"""How far behind a surface, as a share of its depth, a place is hidden rather than on it."""
_HALVINGS = 14
_NEAREST = 1e-3


@dataclass(frozen=True)
class SeenSurfaces:
    """Depth of what some of the clip's cameras saw.

    Attributes:
        cameras: Of the maps; the size is theirs.
        depth: z-depth; infinite where there is no surface.
    """

    cameras: PinholeCameras
    depth: Float[Tensor, "k h w"]

    def gap(self, points: Float64[Tensor, "n 3"]) -> Float64[Tensor, " n"]:
        """How far before the surface behind it a place lies, as a share of that surface's depth, in the camera that
        sees past it the farthest: below 0 it is hidden from all. Infinite where there is no surface behind it, and NaN
        where no camera looks.
        """
        c2w, K = self.cameras.c2w.to(torch.float64), self.cameras.K.to(torch.float64)
        uv, z = project(points, torch.linalg.inv(c2w), K)
        width, height = self.cameras.width, self.cameras.height
        looked = (z > _NEAREST) & (uv >= 0).all(dim=-1) & (uv[..., 0] < width) & (uv[..., 1] < height)
        pixel = torch.where(looked[..., None], uv, torch.zeros_like(uv)).long()
        each = torch.arange(len(c2w))[:, None]
        depth = self.depth.to(torch.float64)[each, pixel[..., 1], pixel[..., 0]]
        gap = torch.where(torch.isinf(depth), depth, (depth - z) / depth)
        best = torch.where(looked, gap, torch.full_like(gap, -torch.inf)).amax(dim=0)
        return torch.where(looked.any(dim=0), best, torch.full_like(best, torch.nan))


def went_through(surfaces: SeenSurfaces, centres: Float[Tensor, "n 3"]) -> Bool[Tensor, " n"]:
    """In which frames of a path the camera has gone through a surface and not come back to where is seen to be room.

    Args:
        surfaces: What was seen.
        centres: Of the path's cameras, in order.
    """
    places = centres.to(torch.float64)
    gaps = surfaces.gap(places)
    inside = torch.zeros(len(places), dtype=torch.bool)
    for i in range(1, len(places)):
        if not bool(gaps[i] < -HIDDEN):
            continue
        if bool(inside[i - 1]):
            inside[i] = True
        elif bool(gaps[i - 1] >= -HIDDEN):
            inside[i] = _last_gap(surfaces, places[i - 1], places[i]) < TOUCHING
    return inside


def _last_gap(surfaces: SeenSurfaces, free: Float64[Tensor, "3"], hidden: Float64[Tensor, "3"]) -> float:
    """The gap just before a straight step becomes hidden."""
    for _ in range(_HALVINGS):
        middle = 0.5 * (free + hidden)
        if bool(surfaces.gap(middle[None])[0] < -HIDDEN):
            hidden = middle
        else:
            free = middle
    gap = float(surfaces.gap(free[None])[0])
    return gap if gap == gap else float("inf")
