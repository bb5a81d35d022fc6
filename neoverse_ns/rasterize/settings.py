"""Everything about a picture that is neither Gaussians nor cameras, and the checks of what the caller gave."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from neoverse_ns.errors import SettingsError

RENDER_MODES = ("RGB", "D", "ED", "RGB+D", "RGB+ED")
RASTERIZE_MODES = ("classic", "antialiased")
BACKENDS = ("auto", "gsplat", "cpu", "torch")
MAX_SIDE = 1 << 15


@dataclass(frozen=True)
class RasterSettings:
    """Settings shared by all cameras of a call; meanings as in :func:`neoverse_ns.rasterize.rasterize`."""

    width: int
    height: int
    near_plane: float = 0.01
    far_plane: float = 1e10
    radius_clip: float = 0.0
    eps2d: float = 0.3
    sh_degree: int | None = None
    render_mode: str = "RGB+ED"
    rasterize_mode: str = "classic"

    def __post_init__(self) -> None:
        _one_of("render_mode", self.render_mode, RENDER_MODES)
        _one_of("rasterize_mode", self.rasterize_mode, RASTERIZE_MODES)
        for name in ("width", "height"):
            value = getattr(self, name)
            if not 1 <= value <= MAX_SIDE:
                raise SettingsError(f"rasterize: {name} is {value}; give 1 to {MAX_SIDE} pixels.")
        for name in ("near_plane", "radius_clip", "eps2d"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise SettingsError(f"rasterize: {name} is {value}; give a finite number that is not negative.")
        if not self.far_plane > self.near_plane:
            raise SettingsError(
                f"rasterize: far_plane {self.far_plane} does not lie behind near_plane {self.near_plane}; raise it."
            )
        if self.sh_degree is not None and not 0 <= self.sh_degree <= 3:
            raise SettingsError(f"rasterize: sh_degree is {self.sh_degree}; give 0 to 3, or None for plain colours.")

    @property
    def has_colors(self) -> bool:
        return "RGB" in self.render_mode

    @property
    def has_depth(self) -> bool:
        return self.render_mode != "RGB"

    @property
    def expected_depth(self) -> bool:
        return self.render_mode.endswith("ED")

    @property
    def antialiased(self) -> bool:
        return self.rasterize_mode == "antialiased"


def check_tensors(
    gaussians: dict[str, Tensor], viewmats: Tensor, Ks: Tensor, backgrounds: Tensor | None, settings: RasterSettings
) -> None:
    """Raise `SettingsError` unless shapes, dtypes and devices fit together.

    Args:
        gaussians: ``means``, ``quats``, ``scales``, ``opacities`` and ``colors`` by name.
        viewmats: World-to-camera matrices [c, 4, 4].
        Ks: Intrinsics [c, 3, 3].
        backgrounds: [c, d] or None.
        settings: Decides what ``colors`` must look like.
    """
    means, colors = gaussians["means"], gaussians["colors"]
    count = means.shape[0] if means.ndim else 0
    cameras = viewmats.shape[0] if viewmats.ndim else 0
    _shape("means", means, (count, 3))
    _shape("quats", gaussians["quats"], (count, 4))
    _shape("scales", gaussians["scales"], (count, 3))
    _shape("opacities", gaussians["opacities"], (count,))
    _shape("viewmats", viewmats, (cameras, 4, 4))
    _shape("Ks", Ks, (cameras, 3, 3))
    if cameras == 0:
        raise SettingsError("rasterize: viewmats holds no camera; give at least one.")
    if settings.sh_degree is None:
        _shape("colors", colors, (count, colors.shape[-1] if colors.ndim else 0))
        channels = colors.shape[1]
    else:
        bands = (settings.sh_degree + 1) ** 2
        if colors.ndim != 3 or colors.shape[0] != count or colors.shape[1] < bands or colors.shape[2] != 3:
            raise SettingsError(
                f"rasterize: colors has shape {tuple(colors.shape)}; sh_degree {settings.sh_degree} needs "
                f"({count}, {bands} or more, 3)."
            )
        channels = 3
    if settings.has_colors and channels == 0:
        raise SettingsError("rasterize: colors has no channels; give at least one, or a depth-only render_mode.")
    tensors = {**gaussians, "viewmats": viewmats, "Ks": Ks}
    if backgrounds is not None:
        _shape("backgrounds", backgrounds, (cameras, channels))
        tensors["backgrounds"] = backgrounds
    if means.dtype not in (torch.float32, torch.float64):
        raise SettingsError(f"rasterize: means are {means.dtype}; convert everything to torch.float32.")
    for name, tensor in tensors.items():
        if tensor.dtype != means.dtype or tensor.device != means.device:
            raise SettingsError(
                f"rasterize: {name} is {tensor.dtype} on {tensor.device}, but means are {means.dtype} on "
                f"{means.device}; convert {name}."
            )


def _shape(name: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != expected:
        raise SettingsError(f"rasterize: {name} has shape {tuple(tensor.shape)}, but {expected} is needed.")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"rasterize: {name} is {value!r}; give one of {', '.join(allowed)}.")
