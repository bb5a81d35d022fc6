"""`rasterize`: one call for every device, with the names and meanings of `gsplat.rasterization`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.rasterize import gsplat_backend, torch_fallback
from neoverse_ns.rasterize.cpu import autograd
from neoverse_ns.rasterize.cpu.build import KernelBuildError
from neoverse_ns.rasterize.cpu.library import load_kernels
from neoverse_ns.rasterize.gsplat_build import missing_gsplat
from neoverse_ns.rasterize.precision import full_precision, widened
from neoverse_ns.rasterize.settings import (
    BACKENDS,
    RasterSettings,
    check_tensors,
)
from neoverse_ns.rasterize.unavailable import Unavailable
from neoverse_ns.rasterize.view import RenderedView

VIEW_RENDERERS: dict[str, Callable[..., RenderedView]] = {
    "cpu": autograd.render_view,
    "torch": torch_fallback.render_view,
}


@full_precision()
def rasterize(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    Ks: Tensor,
    width: int,
    height: int,
    *,
    near_plane: float = 0.01,
    far_plane: float = 1e10,
    radius_clip: float = 0.0,
    eps2d: float = 0.3,
    sh_degree: int | None = None,
    backgrounds: Tensor | None = None,
    render_mode: str = "RGB+ED",
    rasterize_mode: str = "classic",
    backend: str = "auto",
) -> tuple[Float[Tensor, "c h w x"], Float[Tensor, "c h w 1"], dict[str, Any]]:
    """Draw n Gaussians from c cameras (3D Gaussian splatting, Kerbl et al. 2023; numerics of gsplat).

    Gradients reach everything but `Ks`. Shapes are checked here rather than by annotations, so that the message is
    the same whether or not annotations are enforced. Autocast is off inside, and tensors in half precision are drawn
    in float32 (in float64 where `means` are).

    Args:
        means: Centres [n, 3], world units.
        quats: Rotations wxyz [n, 4], of any length but zero.
        scales: Standard deviations along the Gaussians' own axes [n, 3], world units.
        opacities: [n], 0 to 1.
        colors: [n, d] of any d, or where `sh_degree` is given spherical harmonics [n, b, 3].
        viewmats: World-to-camera matrices [c, 4, 4], OpenCV axes (x right, y down, z forward).
        Ks: Intrinsics [c, 3, 3] in pixels; pixel centres lie at +0.5.
        width: Image width in pixels.
        height: Image height in pixels.
        near_plane: Gaussians whose centre is nearer are left out, world units.
        far_plane: Gaussians whose centre is farther are left out, world units.
        radius_clip: Gaussians whose half extents are not above it are left out, pixels.
        eps2d: Added to both variances of the projected Gaussians, pixels^2.
        sh_degree: Highest band of spherical harmonics to use, 0 to 3; None for plain colours.
        backgrounds: Colours [c, d] behind the Gaussians; depth is never given one.
        render_mode: "RGB", "D", "ED", "RGB+D" or "RGB+ED": colours, and depth accumulated with the colours' weights
            ("D") or divided by alpha ("ED", expected depth).
        rasterize_mode: "classic", or "antialiased", which dims Gaussians by what `eps2d` adds to their area (Yu et
            al. 2024, section 4.2).
        backend: "auto", "gsplat", "cpu" or "torch". "auto" is gsplat for CUDA tensors and the C++ kernels for float32
            CPU tensors; plain torch for others and, with one warning per process, where those cannot be used.

    Returns:
        Images [c, h, w, x] with colours first and depth last, alphas [c, h, w, 1], and a dict with at least ``radii``
        [c, n, 2] (half extents in pixels, zero where unseen), ``means2d`` [c, n, 2], ``width``, ``height``,
        ``n_cameras`` and ``backend`` (the one that drew). No gradient reaches ``means2d``, and there is no ``absgrad``:
        nothing here splits or prunes Gaussians by it.

    Raises:
        SettingsError: An argument is out of range, does not fit the others, or the backend asked for cannot be used.
    """
    settings = RasterSettings(
        width, height, near_plane, far_plane, radius_clip, eps2d, sh_degree, render_mode, rasterize_mode
    )
    means, quats, scales, opacities, colors = (
        widened(tensor, means) for tensor in (means, quats, scales, opacities, colors)
    )
    viewmats, Ks = widened(viewmats, means), widened(Ks, means)
    backgrounds = None if backgrounds is None else widened(backgrounds, means)
    gaussians = {"means": means, "quats": quats, "scales": scales, "opacities": opacities, "colors": colors}
    check_tensors(gaussians, viewmats, Ks, backgrounds, settings)
    chosen = choose_backend(means, backend)
    if chosen == "gsplat" and len(means) == 0:
        chosen = "torch"  # nothing to draw is not a case that gsplat's kernels are written for
    draw = gsplat_backend.render if chosen == "gsplat" else partial(_render_each, VIEW_RENDERERS[chosen])
    renders, alphas, meta = draw(means, quats, scales, opacities, colors, viewmats, Ks, backgrounds, settings)
    return renders, alphas, {**meta, "width": width, "height": height, "n_cameras": len(viewmats), "backend": chosen}


def _render_each(
    render_view: Callable[..., RenderedView],
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    Ks: Tensor,
    backgrounds: Tensor | None,
    settings: RasterSettings,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    views: list[RenderedView] = []
    seen = colors if settings.has_colors else means.new_zeros(len(means), 0)
    for camera, (viewmat, K) in enumerate(zip(viewmats, Ks, strict=True)):
        background = None if backgrounds is None or not settings.has_colors else backgrounds[camera]
        views.append(render_view(means, quats, scales, opacities, seen, viewmat, K, background, settings))
    meta = {"radii": torch.stack([v.radii for v in views]), "means2d": torch.stack([v.means2d for v in views])}
    return torch.stack([v.image for v in views]), torch.stack([v.alpha for v in views])[..., None], meta


def choose_backend(means: Tensor, backend: str) -> str:
    """The backend that will draw: "gsplat", "cpu" or "torch".

    Raises:
        SettingsError: The backend asked for does not exist or cannot draw these tensors here.
    """
    if backend not in BACKENDS:
        raise SettingsError(f"rasterize: backend is {backend!r}; give one of {', '.join(BACKENDS)}.")
    if backend == "torch":
        return backend
    natural = "gsplat" if means.is_cuda else "cpu"
    if backend not in ("auto", natural):
        raise SettingsError(f"rasterize: backend {backend!r} cannot draw tensors on {means.device}; use 'auto'.")
    if means.device.type not in ("cuda", "cpu") or means.dtype != torch.float32:
        if backend == "auto":
            return "torch"
        raise SettingsError(
            f"rasterize: backend {backend!r} needs float32, not {means.dtype}; convert, or use 'torch'."
        )
    problem = missing_gsplat() if natural == "gsplat" else _missing_kernels()
    if problem is None:
        return natural
    if backend != "auto":
        raise SettingsError(
            f"rasterize: backend {backend!r} cannot be used: {problem.reason}. Use 'auto' for plain torch, or "
            f"{problem.remedy}."
        )
    _warn_slow(problem)
    return "torch"


def _missing_kernels() -> Unavailable | None:
    try:
        load_kernels()
    except KernelBuildError as error:
        return Unavailable(str(error), "install a C++ compiler such as g++")
    return None


@cache
def _warn_slow(problem: Unavailable) -> None:
    warn(f"{problem.reason}; drawing with plain torch, many times slower. To change that, {problem.remedy}.")
