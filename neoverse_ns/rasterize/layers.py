"""Drawing a scene's layers, each through what the ones before it leave open."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions, draw

OPEN = 2e-3
"""Light let through, below half a grey level's worth, from which on it pays to draw what lies behind."""


def draw_layers(
    scene: LayeredGaussians,
    time: float,
    viewmats: Float[Tensor, "c 4 4"],
    Ks: Float[Tensor, "c 3 3"],
    width: int,
    height: int,
    options: DrawOptions | None = None,
    blend: float | None = None,
) -> Drawing:
    """Draw a scene at `time` from cameras in OpenCV axes.

    Args:
        scene: Its layers, front to back.
        time: Normalised time.
        viewmats: World-to-camera.
        Ks: Intrinsics in pixels.
        width: Image width in pixels.
        height: Image height in pixels.
        options: See :class:`neoverse_ns.rasterize.drawing.DrawOptions`.
        blend: See :func:`neoverse_ns.gaussians.transition.at_time`.
    """
    drawing: Drawing | None = None
    for name, layer in scene.items():
        if drawing is None:
            drawing = draw(layer, time, viewmats, Ks, width, height, options, blend)
        elif is_open(drawing):
            behind = draw(layer, time, viewmats, Ks, width, height, options, blend)
            drawing = over(drawing, behind, LAYERS[name].is_surface)
    assert drawing is not None, "a scene always has its frames' layer"
    return drawing


def is_open(drawing: Drawing) -> bool:
    """Whether any pixel lets enough light through for what lies behind to show."""
    return float(drawing.alpha.detach().min()) < 1 - OPEN


def over(front: Drawing, back: Drawing, is_surface: bool = True) -> Drawing:
    """`back` seen through what `front` leaves open; depth is the expected one of both.

    Args:
        front: What is nearer.
        back: What is drawn behind it, wherever its Gaussians lie.
        is_surface: Whether `back` has a depth that means something. If not, depth stays that of `front` wherever it is
            half opaque: the little of a far field that shines through a surface would ruin the expected depth.
    """
    light = 1 - front.alpha
    alpha = front.alpha + light * back.alpha
    depth = front.alpha * front.depth + light * back.alpha * back.depth
    depth = depth / alpha.clamp_min(1e-10)
    if not is_surface:
        depth = torch.where(front.alpha < 0.5, depth, front.depth)
    return Drawing(front.rgb + light * back.rgb, depth, alpha)
