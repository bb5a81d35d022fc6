"""How much of a picture each Gaussian makes up."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.rasterize import rasterize


def pixels_shown(
    now: GaussiansAtTime,
    viewmats: Float[Tensor, "c 4 4"],
    Ks: Float[Tensor, "c 3 3"],
    width: int,
    height: int,
    rasterize_mode: Literal["classic", "antialiased"] = "classic",
    light: Float[Tensor, "c h w 1"] | None = None,
) -> Float[Tensor, " m"]:
    """Every Gaussian's blending weights, summed over the pixels of all pictures.

    A picture is linear in the Gaussians' colours, so its derivative with respect to them is what each contributes.

    Args:
        now: All that is drawn together.
        viewmats: World-to-camera.
        Ks: Intrinsics in pixels.
        width: Image width in pixels.
        height: Image height in pixels.
        rasterize_mode: See :class:`neoverse_ns.rasterize.drawing.DrawOptions`.
        light: Share of every pixel that whatever stands before these Gaussians lets through; None is all.
    """
    with torch.enable_grad():
        colours = now.opacities.new_ones(len(now.means), 1).requires_grad_()
        drawn, _, _ = rasterize(
            means=now.means.detach(),
            quats=now.quats.detach(),
            scales=now.scales.detach(),
            opacities=now.opacities.detach(),
            colors=colours,
            viewmats=viewmats,
            Ks=Ks,
            width=width,
            height=height,
            render_mode="RGB",
            rasterize_mode=rasterize_mode,
        )
        total = drawn.sum() if light is None else (drawn * light.detach()).sum()
        (shown,) = torch.autograd.grad(total, colours)
    return shown[:, 0]
