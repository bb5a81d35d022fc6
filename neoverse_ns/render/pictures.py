"""One frame as pictures: colours over a background, opacity, depth, and the input beside it."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from neoverse_ns.rasterize.along import ViewAlong

SURFACE = 0.5
"""Opacity of the surfaces from which on a pixel has a depth."""


def colours(view: ViewAlong, background: Float[Tensor, "3"]) -> UInt8[Tensor, "h w 3"]:
    """What is drawn, over a background."""
    drawing = view.drawing
    return to_bytes(drawing.rgb[0] + (1 - drawing.alpha[0]) * background.to(drawing.rgb))


def opacity(view: ViewAlong) -> UInt8[Tensor, "h w 3"]:
    """Of the surfaces: white where the clip saw something, black where the far field alone is shown."""
    return to_bytes(view.seen[0].expand(-1, -1, 3))


def unseen_share(view: ViewAlong) -> float:
    """Share of the picture without a surface that the clip saw."""
    return float((view.seen < SURFACE).double().mean())


def surface_depth(view: ViewAlong) -> Float[Tensor, "h w"]:
    """z-depth, world units, where there is a surface; 0 elsewhere. On the CPU."""
    depth = view.drawing.depth[0, ..., 0]
    return torch.where(view.seen[0, ..., 0] >= SURFACE, depth, torch.zeros_like(depth)).cpu()


def beside(
    left: UInt8[Tensor, "gh gw 3"], right: UInt8[Tensor, "h w 3"], width: int | None = None
) -> UInt8[Tensor, "h both 3"]:
    """Two pictures side by side, the left one brought to the other's height.

    Args:
        left: The input.
        right: What was drawn.
        width: Of the left one then, pixels; None keeps its shape.
    """
    height = right.shape[0]
    width = width or width_beside(left.shape[1], left.shape[0], height)
    if tuple(left.shape[:2]) != (height, width):
        channels = left.permute(2, 0, 1)[None].float()
        resized = functional.interpolate(channels, (height, width), mode="bicubic", antialias=True)
        left = resized[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8)
    return torch.cat([left, right], dim=1)


def width_beside(width: int, height: int, wanted: int) -> int:
    """Width of a picture brought to the height `wanted`, as an even number of pixels."""
    return max(2 * round(width * wanted / height / 2), 2)


def to_bytes(values: Float[Tensor, "h w 3"]) -> UInt8[Tensor, "h w 3"]:
    """Values of 0 to 1, cut at both ends, as bytes on the CPU."""
    return (values.clamp(0, 1) * 255).round().to(torch.uint8).cpu()
