"""CUDA tensors go to gsplat, with only the arguments that its 1.4 and 1.5 releases share."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.rasterize.settings import RasterSettings


def render(
    means: Float[Tensor, "n 3"],
    quats: Float[Tensor, "n 4"],
    scales: Float[Tensor, "n 3"],
    opacities: Float[Tensor, " n"],
    colors: Tensor,
    viewmats: Float[Tensor, "c 4 4"],
    Ks: Float[Tensor, "c 3 3"],
    backgrounds: Float[Tensor, "c d"] | None,
    settings: RasterSettings,
) -> tuple[Float[Tensor, "c h w x"], Float[Tensor, "c h w 1"], dict[str, Any]]:
    """All cameras at once through `gsplat.rasterization`; its meta, with radii as [c, n, 2] whatever the release."""
    from gsplat import rasterization

    modes: dict[str, Any] = {"render_mode": settings.render_mode, "rasterize_mode": settings.rasterize_mode}
    renders, alphas, meta = rasterization(
        means,
        quats,
        scales,
        opacities,
        colors,
        viewmats,
        Ks,
        settings.width,
        settings.height,
        near_plane=settings.near_plane,
        far_plane=settings.far_plane,
        radius_clip=settings.radius_clip,
        eps2d=settings.eps2d,
        sh_degree=settings.sh_degree if settings.has_colors else None,
        packed=False,
        backgrounds=backgrounds,
        **modes,
    )
    radii = meta["radii"]
    if radii.ndim == 2:
        radii = torch.stack([radii, radii], dim=-1)
    return renders, alphas, {**meta, "radii": radii}
