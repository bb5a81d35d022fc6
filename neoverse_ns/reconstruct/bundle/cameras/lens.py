"""A lens with a focal length and one radial coefficient, and its derivatives.

A ray whose picture lies at radius r from the principal point, in units of the focal length, has the slope r (1 + k r^2):
k > 0 is a barrel, k < 0 a pincushion, 0 a pinhole. Written this way round, undistorting is a product, and the curve
follows strong barrels further out than the same coefficient does the other way round.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

NEWTON_STEPS = 6
"""Steps of the inversion; the error falls quadratically."""
STEEPEST = 0.1
"""Least derivative of slope by radius that is believed: a pincushion's cubic turns back where it ends."""


def undistort(positions: Float[Tensor, "*b 2 p"], radial: Tensor) -> Float[Tensor, "*b 2 p"]:
    """Slopes of the rays seen at positions over the focal length.

    Args:
        positions: Relative to the principal point, in units of the focal length.
        radial: The coefficient k.
    """
    return positions * (1 + radial * positions.square().sum(-2, keepdim=True))


def distort(slopes: Float[Tensor, "*b 2 p"], radial: Tensor) -> Float[Tensor, "*b 2 p"]:
    """Where rays of given slopes are seen: the inverse of :func:`undistort`, by Newton's method."""
    if float(radial) == 0.0:
        return slopes
    wanted = slopes.norm(dim=-2, keepdim=True)
    radius = wanted / (1 + radial.clamp_min(0) * wanted.square()).pow(1 / 3)
    for _ in range(NEWTON_STEPS):
        slope = (1 + 3 * radial * radius.square()).clamp_min(STEEPEST)
        radius = (radius - (radius * (1 + radial * radius.square()) - wanted) / slope).clamp_min(0)
    return slopes * torch.where(wanted > 1e-12, radius / wanted.clamp_min(1e-12), torch.ones_like(wanted))


def undistort_slopes(
    positions: Float[Tensor, "*b 2 p"], radial: Tensor
) -> tuple[Float[Tensor, "*b 2 p"], Float[Tensor, "*b 2 p"]]:
    """Derivatives of :func:`undistort` by the logarithm of the focal length and by the coefficient.

    The positions are fixed pixels, so that a longer focal length brings them nearer to the middle.
    """
    squared = positions.square().sum(-2, keepdim=True)
    return -positions * (1 + 3 * radial * squared), positions * squared


def distort_slopes(
    slopes: Float[Tensor, "*b 2 p"], seen: Float[Tensor, "*b 2 p"], radial: Tensor
) -> tuple[Float[Tensor, "*b 2 2 p"], Float[Tensor, "*b 2 p"]]:
    """Derivatives of :func:`distort` by the slopes (the last but one axis) and by the coefficient.

    Args:
        slopes: As given to it.
        seen: What it gave.
        radial: The coefficient.
    """
    squared = seen.square().sum(-2, keepdim=True)
    steep = (1 + 3 * radial * squared).clamp_min(STEEPEST)
    # Along the radius the slope is 1 / (1 + 3 k r^2), across it seen / slope = 1 / (1 + k r^2).
    across, along = 1 / (1 + radial * squared), 1 / steep
    direction = slopes / slopes.norm(dim=-2, keepdim=True).clamp_min(1e-12)
    outer = direction[..., :, None, :] * direction[..., None, :, :]
    identity = torch.eye(2, dtype=slopes.dtype)[:, :, None]
    by_slope = across[..., None, :, :] * identity + (along - across)[..., None, :, :] * outer
    return by_slope, -seen * squared / steep
