"""Smoothing of a shaky camera path."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import assemble, so3_exp, so3_log

_ROUNDS = 10
_NO_STRENGTH = 0.05
"""Frames below which the weights of the neighbours underflow."""
_CONVERGED = 1e-12


def stabilise(
    c2w: Float[Tensor, "n 4 4"], strength: float, at: Float[Tensor, " n"] | None = None
) -> Float[Tensor, "n 4 4"]:
    """Smooth positions and rotations with a Gaussian in time.

    Each camera becomes the value there of the straight, evenly turning motion that fits its neighbours best under
    Gaussian weights (local linear regression; for rotations in the tangent space around the running estimate, iterated
    as for a Karcher mean). Inside the path this is Gaussian smoothing. Unlike that, it leaves an even motion as it is
    up to the ends instead of pulling them inward.

    Args:
        c2w: Cameras.
        strength: Standard deviation of the Gaussian, in frames or in the unit of `at`; 0 changes nothing.
        at: When the cameras were there, ascending; None spaces them evenly, one frame apart.

    Raises:
        SettingsError: The strength is negative or not finite.
    """
    window = _window(len(c2w), strength, at)
    if window is None:
        return c2w.clone()
    neighbours, weights = (value.to(c2w.device) for value in window)
    R, t = c2w[:, :3, :3].to(torch.float64), c2w[:, :3, 3].to(torch.float64)
    smooth_t = (weights[..., None] * t[neighbours]).sum(1)
    smooth_R = R
    for _ in range(_ROUNDS):
        offsets = so3_log(smooth_R[:, None].mT @ R[neighbours])
        step = (weights[..., None] * offsets).sum(1)
        smooth_R = smooth_R @ so3_exp(step)
        if step.abs().max() < _CONVERGED:
            break
    return assemble(smooth_R, smooth_t).to(c2w.dtype)


def stabilise_cameras(
    cameras: PinholeCameras, strength: float, at: Float[Tensor, " n"] | None = None
) -> PinholeCameras:
    """The same for whole cameras: focal lengths are smoothed by ratio, principal points evenly.

    Raises:
        SettingsError: The strength is negative or not finite.
    """
    c2w = stabilise(cameras.c2w, strength, at)
    window = _window(len(cameras), strength, at)
    if window is None:
        return PinholeCameras(c2w, cameras.K.clone(), cameras.width, cameras.height)
    neighbours, weights = (value.to(cameras.K.device) for value in window)

    def smooth(values: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]:
        return (weights * values[neighbours]).sum(1)

    K = cameras.K.to(torch.float64).clone()
    for row in (0, 1):
        K[:, row, row] = smooth(K[:, row, row].log()).exp()
        K[:, row, 2] = smooth(K[:, row, 2])
    return PinholeCameras(c2w, K.to(cameras.K.dtype), cameras.width, cameras.height)


def _window(
    count: int, strength: float, at: Float[Tensor, " {count}"] | None
) -> tuple[Int64[Tensor, "{count} m"], Float64[Tensor, "{count} m"]] | None:
    """Neighbours of every frame and their weights, which sum to 1 and whose weighted offsets sum to 0.

    Neighbours that do not exist are the frame itself with weight 0. None where there is nothing to smooth.
    """
    if not (math.isfinite(strength) and strength >= 0):
        raise SettingsError(f"the strength of stabilisation must be a number of frames from 0 up, got {strength}")
    when = torch.arange(count, dtype=torch.float64) if at is None else at.detach().cpu().to(torch.float64)
    if count < 3 or strength < _NO_STRENGTH * float(when.diff().median()):
        return None
    # One neighbour more than lies within three deviations, on both sides, where frames are densest.
    near = torch.searchsorted(when, when + 3 * strength) - torch.arange(count)
    reach = min(int(near.max()), count - 1)
    offsets = torch.arange(-reach, reach + 1)
    frames = torch.arange(count)[:, None]
    exists = (frames + offsets >= 0) & (frames + offsets < count)
    neighbours = torch.where(exists, frames + offsets, frames)
    x = when[neighbours] - when[:, None]
    gaussian = exists * torch.exp(-0.5 * (x / strength) ** 2)
    # Weighted least squares of a line, evaluated at offset 0.
    s0, s1, s2 = ((gaussian * x**k).sum(1, keepdim=True) for k in range(3))
    spread = s0 * s2 - s1**2
    weights = gaussian * (s2 - s1 * x) / spread.clamp_min(torch.finfo(torch.float64).tiny)
    # A frame without any neighbour in reach stays where it is.
    alone = (offsets == 0).to(torch.float64).expand_as(weights)
    return neighbours, torch.where(spread > 0, weights, alone)
