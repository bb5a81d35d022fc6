"""What one view says of another through known depth and cameras, and PSNR over what it explains."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.metrics.image import psnr

SAME_SURFACE = 0.02
"""Relative difference of depth up to which two views see one surface."""
_FOOTPRINT = (-0.5, 0.5)
"""Where a point falls beside its pixel, so that surfaces seen up to twice as near have no holes."""


@dataclass(frozen=True)
class View:
    """A camera.

    Attributes:
        c2w: Camera to world, OpenCV axes.
        K: Intrinsics in pixels, centres at +0.5.
    """

    c2w: Float[Tensor, "4 4"]
    K: Float[Tensor, "3 3"]


@dataclass(frozen=True)
class Warped:
    """Values of one view where another one sees the same surface.

    Attributes:
        values: At every pixel of the other view; 0 where nothing is known.
        explained: Pixels whose surface the first view sees, too.
    """

    values: Float[Tensor, "h w c"]
    explained: Bool[Tensor, "h w"]


def warp(
    values: Float[Tensor, "sh sw c"],
    depth: Float[Tensor, "sh sw"],
    source: View,
    target: View,
    size: tuple[int, int],
    counts: Bool[Tensor, "sh sw"] | None = None,
) -> Warped:
    """Bring a view's values to where another camera sees the surfaces that they lie on.

    Its points are splatted to find the nearest surface of every target pixel, which is then looked up between the
    source's pixels; pixels whose surface lies elsewhere in the source (behind what it sees, at an edge) are not
    explained.

    Args:
        values: Of the source view, any number of channels.
        depth: z-depth of its pixels in the unit of the cameras; none where it is not above 0.
        source: Where they were seen from.
        target: Where to bring them.
        size: Height and width of the target's picture.
        counts: Pixels of the source that may be used; None for all with depth.
    """
    known = (depth > 0) & depth.isfinite() if counts is None else (depth > 0) & depth.isfinite() & counts
    surface = _splat_depth(depth, known, source, target, size)
    seen = surface.isfinite()
    world = _lift(torch.where(seen, surface, torch.ones_like(surface)), target)
    places, back = _project(world, source)
    height, width = depth.shape
    grid = (2 * places / places.new_tensor([width, height]) - 1).view(1, *size, 2)
    inside = (grid[0].abs() <= 1).all(-1) & (back.view(size) > 0)
    # Depth and values are looked up alike: where a pixel between is unknown or on another surface, all is unknown.
    holes = torch.where(known, depth, depth.new_full((), torch.nan))
    there = F.grid_sample(holes[None, None].double(), grid, align_corners=False, padding_mode="border")[0, 0]
    same = (there - back.view(size)).abs() <= SAME_SURFACE * back.view(size)
    explained = seen & inside & same
    looked_up = F.grid_sample(values.permute(2, 0, 1)[None].double(), grid, align_corners=False, padding_mode="border")[
        0
    ].permute(1, 2, 0)
    return Warped(torch.where(explained[..., None], looked_up, torch.zeros_like(looked_up)).float(), explained)


def warp_psnr(
    shown: Float[Tensor, "h w 3"],
    shown_from: View,
    seen: Float[Tensor, "sh sw 3"],
    depth: Float[Tensor, "sh sw"],
    seen_from: View,
    counts: Bool[Tensor, "sh sw"] | None = None,
) -> tuple[float, float]:
    """PSNR of an output frame over the pixels that the input frame of the same time explains, and their share.

    A figure of this package, without any weights (`warp-psnr`): it says whether a new view keeps what was filmed, and
    nothing of what it had to make up. It compares with itself alone, and depends on whose depth is used.

    Args:
        shown: The output frame, RGB in [0, 1].
        shown_from: Its camera.
        seen: The input frame, RGB in [0, 1].
        depth: Of the input frame, in the unit of the cameras.
        seen_from: The input frame's camera, in the same world.
        counts: Pixels of the input frame that may be used; None for all with depth.

    Returns:
        Decibels, NaN where nothing is explained; share of the output's pixels that are.
    """
    warped = warp(seen, depth, seen_from, shown_from, (shown.shape[0], shown.shape[1]), counts)
    return psnr(shown, warped.values, warped.explained), warped.explained.float().mean().item()


def _lift(depth: Float[Tensor, "h w"], view: View) -> Float[Tensor, "n 3"]:
    """World points of all pixels' centres."""
    y, x = torch.meshgrid(*(torch.arange(side, dtype=torch.float64) + 0.5 for side in depth.shape), indexing="ij")
    return _lift_at(torch.stack([x, y], -1).view(-1, 2), depth.reshape(-1).double(), view)


def _lift_at(pixels: Float[Tensor, "n 2"], depth: Float[Tensor, " n"], view: View) -> Float[Tensor, "n 3"]:
    rays = F.pad(pixels, (0, 1), value=1.0) @ torch.linalg.inv(view.K.double()).mT
    return (rays * depth[:, None]) @ view.c2w[:3, :3].double().mT + view.c2w[:3, 3].double()


def _project(points: Float[Tensor, "n 3"], view: View) -> tuple[Float[Tensor, "n 2"], Float[Tensor, " n"]]:
    """Pixels and z-depth of world points; pixels of those behind the camera mean nothing."""
    local = (points - view.c2w[:3, 3].double()) @ view.c2w[:3, :3].double()
    pixels = local @ view.K.double().mT
    depth = local[:, 2]
    return pixels[:, :2] / torch.where(depth > 0, depth, torch.ones_like(depth))[:, None], depth


def _splat_depth(
    depth: Float[Tensor, "sh sw"], known: Bool[Tensor, "sh sw"], source: View, target: View, size: tuple[int, int]
) -> Float[Tensor, "h w"]:
    """z-depth of the nearest known point at every target pixel; infinite where there is none."""
    height, width = size
    y, x = known.nonzero(as_tuple=True)
    nearest = torch.full((height * width,), torch.inf, dtype=torch.float64)
    points = _lift_at(torch.stack([x, y], -1).double() + 0.5, depth[y, x].double(), source)
    places, z = _project(points, target)
    for dx in _FOOTPRINT:
        for dy in _FOOTPRINT:
            column, row = (places[:, 0] + dx).floor(), (places[:, 1] + dy).floor()
            inside = (z > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
            index = (row[inside] * width + column[inside]).long()
            nearest.scatter_reduce_(0, index, z[inside], "amin")
    return nearest.view(size)
