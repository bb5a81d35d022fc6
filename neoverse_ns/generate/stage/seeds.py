"""New Gaussians for holes: what a refiner painted where there was nothing to optimise."""

from __future__ import annotations

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate, constant_gaussians
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.stage.behind import depth_behind
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.geometry.quaternions import from_matrix
from neoverse_ns.rasterize.drawing import draw

FOOTPRINT = 0.5
"""Standard deviation in units of a pixel's width: a little more than a lifted pixel's, as nothing lies behind."""
OPACITY = 0.88
FILLED = 0.5
"""Opacity from which on a hole counts as filled by another view's Gaussians."""


class HoleFiller:
    """Collects constant Gaussians from one set of refined views after another, each hole from the first that shows it.

    They are drawn behind everything seen, so that they fill holes and nothing else; where their depth is wrong, it is
    only the parallax of what was made up that suffers.

    Args:
        hole_opacity: Opacity below which a pixel is a hole.
        most: Bound on the number of Gaussians.
    """

    def __init__(self, hole_opacity: float, most: int) -> None:
        self._hole_opacity, self._most = hole_opacity, most
        self._parts: list[DynamicGaussians] = []
        self._count = 0

    @torch.no_grad()
    def add(self, frames: UInt8[Tensor, "n h w 3"], conditions: Conditions) -> None:
        """Fill what is still open, from the middle frame outwards.

        Args:
            frames: Refined.
            conditions: What they were refined from.
        """
        middle = len(frames) // 2
        for number in sorted(range(len(frames)), key=lambda n: abs(n - middle)):
            hole = conditions.alpha[number] < self._hole_opacity
            if bool(hole.any()):
                wanted = hole & ~self._filled(conditions, number)
                self._take(frames[number].to(hole.device), hole, wanted, conditions, number)

    def gaussians(self) -> DynamicGaussians | None:
        """All of them, the inpainted layer; None where nothing was open."""
        return concatenate(self._parts) if self._parts else None

    def _filled(self, conditions: Conditions, number: int) -> Bool[Tensor, "h w"]:
        if not self._parts:
            return torch.zeros_like(conditions.mask[number])
        drawing = draw(
            concatenate(self._parts),
            float(conditions.times[number]),
            torch.linalg.inv(conditions.c2w[number].double())[None].to(conditions.c2w),
            conditions.K[number : number + 1],
            conditions.width,
            conditions.height,
        )
        return drawing.alpha[0, ..., 0] >= FILLED

    def _take(
        self,
        frame: UInt8[Tensor, "h w 3"],
        hole: Bool[Tensor, "h w"],
        wanted: Bool[Tensor, "h w"],
        conditions: Conditions,
        number: int,
    ) -> None:
        c2w, K = conditions.c2w[number], conditions.K[number]
        depth = depth_behind(conditions.depth[number], ~hole)
        points = unproject(depth, K, c2w)
        wanted = wanted & (depth > 0)
        rows = wanted.reshape(-1).nonzero().squeeze(-1)[: self._most - self._count]
        if len(rows) == 0:
            return
        z = depth.reshape(-1, 1)[rows]
        count = len(rows)
        self._parts.append(
            constant_gaussians(
                points.reshape(-1, 3)[rows],
                from_matrix(c2w[:3, :3]).expand(count, 4).contiguous(),
                (FOOTPRINT * z / torch.stack([K[0, 0], K[1, 1], K[0, 0]])).log(),
                OPACITY,
                frame.reshape(-1, 3)[rows].to(points) / 255,
            )
        )
        self._count += count
