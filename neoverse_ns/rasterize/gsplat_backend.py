"""CUDA tensors go to gsplat, with only the arguments that its 1.4 and 1.5 releases share."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.rasterize.settings import RasterSettings


@cache
def missing_gsplat() -> str | None:
    """Why gsplat cannot draw here, or None where it can. The first call may compile its kernels (minutes)."""
    try:
        backend = importlib.import_module("gsplat.cuda._backend")
    except (ImportError, RuntimeError) as error:  # torch raises RuntimeError where a kernel does not compile
        return f"gsplat cannot be used ({str(error).splitlines()[0]})"
    if getattr(backend, "_C", None) is None:
        return "gsplat found no CUDA toolkit (nvcc) to compile its kernels with"
    return None


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
