"""New Gaussians for holes: what a refiner painted where there was nothing to optimise."""

from __future__ import annotations

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate, constant_gaussians
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.stage.behind import depth_behind
from neoverse_ns.generate.stage.shares import fair_shares, thinned
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
    only the parallax of what was inpainted that suffers.

    Args:
        hole_opacity: Opacity below which a pixel is a hole.
        most: Bound on the number of Gaussians. Where the holes need more, all sets get fair shares of it: their holes
            are then filled by fewer and wider ones.
    """

    def __init__(self, hole_opacity: float, most: int) -> None:
        self._hole_opacity, self._most = hole_opacity, most
        self._sets: list[list[DynamicGaussians]] = []

    @torch.no_grad()
    def add(self, frames: UInt8[Tensor, "n h w 3"], conditions: Conditions) -> None:
        """Fill what is still open with a set of views, from the middle frame outwards.

        Args:
            frames: Refined.
            conditions: What they were refined from.
        """
        if self._most == 0:
            return
        self._sets.append([])
        middle = len(frames) // 2
        for number in sorted(range(len(frames)), key=lambda n: abs(n - middle)):
            hole = conditions.alpha[number] < self._hole_opacity
            if bool(hole.any()):
                wanted = hole & ~self._filled(conditions, number)
                self._take(frames[number].to(hole.device), hole, wanted, conditions, number)

    def gaussians(self) -> DynamicGaussians | None:
        """All of them, the inpainted layer; None where nothing was open."""
        sets = [concatenate(parts) for parts in self._sets if parts]
        shares = fair_shares([len(part) for part in sets], self._most)
        return concatenate([thinned(part, share) for part, share in zip(sets, shares, strict=True)]) if sets else None

    def _filled(self, conditions: Conditions, number: int) -> Bool[Tensor, "h w"]:
        parts = [part for parts in self._sets for part in parts]
        if not parts:
            return torch.zeros_like(conditions.mask[number])
        drawing = draw(
            concatenate(parts),
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
        rows = wanted.reshape(-1).nonzero().squeeze(-1)
        if len(rows) == 0:
            return
        z = depth.reshape(-1, 1)[rows]
        count = len(rows)
        self._sets[-1].append(
            constant_gaussians(
                points.reshape(-1, 3)[rows],
                from_matrix(c2w[:3, :3]).expand(count, 4).contiguous(),
                (FOOTPRINT * z / torch.stack([K[0, 0], K[1, 1], K[0, 0]])).log(),
                OPACITY,
                frame.reshape(-1, 3)[rows].to(points) / 255,
            )
        )
