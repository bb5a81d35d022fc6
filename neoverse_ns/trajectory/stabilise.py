"""Smoothing of a shaky camera path."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.se3 import assemble, so3_exp, so3_log

_ROUNDS = 10
_NO_STRENGTH = 0.05
"""Below this the weights of the neighbours underflow."""
_CONVERGED = 1e-12


def stabilise(c2w: Float[Tensor, "n 4 4"], strength: float) -> Float[Tensor, "n 4 4"]:
    """Smooth positions and rotations with a Gaussian in time.

    Each camera becomes the value there of the straight, evenly turning motion that fits its neighbours best under
    Gaussian weights (local linear regression; for rotations in the tangent space around the running estimate, iterated
    as for a Karcher mean). Inside the path this is Gaussian smoothing. Unlike that, it leaves an even motion as it is
    up to the ends instead of pulling them inward.

    Args:
        c2w: Cameras evenly spaced in time.
        strength: Standard deviation of the Gaussian in frames; 0 changes nothing.

    Raises:
        SettingsError: The strength is negative or not finite.
    """
    if not (math.isfinite(strength) and strength >= 0):
        raise SettingsError(f"the strength of stabilisation must be a number of frames from 0 up, got {strength}")
    if strength < _NO_STRENGTH or len(c2w) < 3:
        return c2w.clone()
    neighbours, weights = _window(len(c2w), strength)
    neighbours, weights = neighbours.to(c2w.device), weights.to(c2w.device)
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


def _window(count: int, strength: float) -> tuple[Int64[Tensor, "{count} m"], Float64[Tensor, "{count} m"]]:
    """Neighbours of every frame and their weights, which sum to 1 and whose weighted offsets sum to 0.

    Neighbours that do not exist are the frame itself with weight 0.
    """
    reach = min(math.ceil(3 * strength), count - 1)
    offsets = torch.arange(-reach, reach + 1)
    frames = torch.arange(count)[:, None]
    exists = (frames + offsets >= 0) & (frames + offsets < count)
    neighbours = torch.where(exists, frames + offsets, frames)
    x = offsets.to(torch.float64)
    gaussian = exists * torch.exp(-0.5 * (x / strength) ** 2)
    # Weighted least squares of a line, evaluated at offset 0.
    s0, s1, s2 = ((gaussian * x**k).sum(1, keepdim=True) for k in range(3))
    return neighbours, gaussian * (s2 - s1 * x) / (s0 * s2 - s1**2)
