"""`rasterize`: one call for every device, with the names and meanings of `gsplat.rasterization`."""

from __future__ import annotations

from functools import cache
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
from neoverse_ns.rasterize.settings import (
    BACKENDS,
    Backend,
    RasterizeMode,
    RasterSettings,
    RenderMode,
    check_tensors,
)
from neoverse_ns.rasterize.spherical_harmonics import sh_colors


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
    render_mode: RenderMode = "RGB+ED",
    rasterize_mode: RasterizeMode = "classic",
    backend: Backend = "auto",
) -> tuple[Float[Tensor, "c h w x"], Float[Tensor, "c h w 1"], dict[str, Any]]:
    """Draw n Gaussians from c cameras (3D Gaussian splatting, Kerbl et al. 2023; numerics of gsplat).

    Gradients reach everything but `Ks`. Shapes are checked here rather than by annotations, so that the message is
    the same whether or not annotations are enforced.

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
        render_mode: Colours ("RGB"), depth accumulated with the colours' weights ("D") or divided by alpha ("ED").
        rasterize_mode: "antialiased" dims Gaussians by what `eps2d` adds to their area (Yu et al. 2024, section 4.2).
        backend: "auto" is gsplat for CUDA tensors and the C++ kernels for float32 CPU tensors; plain torch elsewhere
            and, with one warning per process, where the former cannot be used.

    Returns:
        Images [c, h, w, x] with colours first and depth last, alphas [c, h, w, 1], and a dict with at least ``radii``
        [c, n, 2] (half extents in pixels, zero where unseen), ``means2d`` [c, n, 2], ``width``, ``height``,
        ``n_cameras`` and ``backend`` (the one that drew).

    Raises:
        SettingsError: An argument is out of range, does not fit the others, or the backend asked for cannot be used.
    """
    settings = RasterSettings(
        width, height, near_plane, far_plane, radius_clip, eps2d, sh_degree, render_mode, rasterize_mode
    )
    gaussians = {"means": means, "quats": quats, "scales": scales, "opacities": opacities, "colors": colors}
    check_tensors(gaussians, viewmats, Ks, backgrounds, settings)
    chosen = choose_backend(means, backend)
    meta: dict[str, Any] = {"width": width, "height": height, "n_cameras": len(viewmats), "backend": chosen}
    if chosen == "gsplat" and len(means) and len(viewmats):
        renders, alphas, details = gsplat_backend.render(
            **gaussians, viewmats=viewmats, Ks=Ks, backgrounds=backgrounds, settings=settings
        )
        return renders, alphas, {**details, **meta}

    render_view = autograd.render_view if chosen == "cpu" else torch_fallback.render_view
    views = []
    for camera in range(len(viewmats)):
        seen_colors = _camera_colors(colors, means, viewmats[camera], settings)
        background = None if backgrounds is None or not settings.has_colors else backgrounds[camera]
        views.append(
            render_view(
                means, quats, scales, opacities, seen_colors, viewmats[camera], Ks[camera], background, settings
            )
        )
    if not views:
        channels = int(settings.has_depth) + (
            0 if not settings.has_colors else 3 if sh_degree is not None else colors.shape[1]
        )
        meta |= {
            "radii": means.new_zeros(0, len(means), 2, dtype=torch.int32),
            "means2d": means.new_zeros(0, len(means), 2),
        }
        return means.new_zeros(0, height, width, channels), means.new_zeros(0, height, width, 1), meta
    meta |= {"radii": torch.stack([v.radii for v in views]), "means2d": torch.stack([v.means2d for v in views])}
    return torch.stack([v.image for v in views]), torch.stack([v.alpha for v in views])[..., None], meta


def choose_backend(means: Tensor, backend: Backend) -> Backend:
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
    problem = gsplat_backend.missing_gsplat() if natural == "gsplat" else _missing_kernels()
    if problem is None:
        return natural
    if backend != "auto":
        raise SettingsError(f"rasterize: backend {backend!r} cannot be used: {problem}. Use 'auto' for plain torch.")
    _warn_slow(natural, problem)
    return "torch"


def _missing_kernels() -> str | None:
    try:
        load_kernels()
    except KernelBuildError as error:
        return str(error)
    return None


@cache
def _warn_slow(backend: str, problem: str) -> None:
    remedy = "install a C++ compiler such as g++" if backend == "cpu" else "install gsplat and the CUDA toolkit"
    warn(f"{problem}; drawing with plain torch, about 20 times slower. To change that, {remedy}.")


def _camera_colors(colors: Tensor, means: Tensor, viewmat: Tensor, settings: RasterSettings) -> Float[Tensor, "n d"]:
    if not settings.has_colors:
        return means.new_zeros(len(means), 0)
    if settings.sh_degree is None:
        return colors
    return sh_colors(colors, means, viewmat, settings.sh_degree)
