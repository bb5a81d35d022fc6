"""Time transition: a clip's Gaussians as they stand at one instant (NeoVerse, section 3.1, equations 2-4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.rows import select_rows
from neoverse_ns.geometry import quaternions

LIFE_SPAN_GAMMA = 10.0
"""Decay rate of opacity at the neighbouring keyframe (the released renderer's default)."""


@dataclass(frozen=True)
class GaussiansAtTime:
    """Ordinary 3D Gaussians, ready to draw.

    Attributes:
        means: Centres, world units.
        quats: Rotations wxyz, not necessarily of unit length.
        scales: Standard deviations, world units.
        opacities: In [0, 1], life span applied.
        sh: Spherical harmonics.
        index: Rows of the clip's Gaussians these are, ascending.
    """

    means: Float[Tensor, "m 3"]
    quats: Float[Tensor, "m 4"]
    scales: Float[Tensor, "m 3"]
    opacities: Float[Tensor, " m"]
    sh: Float[Tensor, "m b 3"]
    index: Int64[Tensor, " m"]


def alive_at(gaussians: DynamicGaussians, time: float, nearest_only: bool = False) -> Bool[Tensor, " n"]:
    """Which Gaussians exist at `time`.

    Args:
        gaussians: Those of the whole clip.
        time: Normalised time.
        nearest_only: False draws both neighbouring keyframes (the release); True only the nearer one, ties to the
            earlier (the paper's text).
    """
    before, at, after = gaussians.interval.unbind(-1)
    alive = (time > before) & (time < after)
    if nearest_only:
        # At the midpoint of a gap the earlier keyframe wins, so the bound is closed after t and open before it.
        alive = alive & (time <= 0.5 * (at + after)) & (time > 0.5 * (before + at))
    return alive | ~gaussians.dynamic


def fade(
    life_spans: Float[Tensor, " m"], distance: Float[Tensor, " m"], gamma: float = LIFE_SPAN_GAMMA
) -> Float[Tensor, " m"]:
    """Opacity factor exp(-gamma x^(1 / (1 - tau))) at the relative distance x in [0, 1) from the keyframe.

    The exponent's singularity at tau = 1 is kept away by 1e-6, as in the release. At x = 0 the factor is one and its
    derivative with respect to tau zero, which a bare power would turn into NaN.
    """
    here = distance <= 0
    power = torch.where(here, torch.ones_like(distance), distance) ** (1 / (1 - life_spans + 1e-6))
    return torch.exp(-gamma * torch.where(here, torch.zeros_like(power), power))


def at_time(
    gaussians: DynamicGaussians,
    time: float,
    nearest_only: bool = False,
    gamma: float = LIFE_SPAN_GAMMA,
    among: Bool[Tensor, " n"] | None = None,
) -> GaussiansAtTime:
    """Select the Gaussians alive at `time` and move them there; the cost is that of the ones alive.

    Differentiable with respect to every floating-point field but `interval`.

    Args:
        gaussians: Those of the whole clip.
        time: Normalised time.
        nearest_only: See :func:`alive_at`.
        gamma: See :func:`fade`.
        among: Take only these rows; None takes all.
    """
    alive = alive_at(gaussians, time, nearest_only)
    index = (alive if among is None else alive & among).nonzero().squeeze(-1)
    before, at, after = gaussians.interval[index].unbind(-1)
    moving = gaussians.dynamic[index]
    later = time > at
    gap = torch.where(later, after - at, at - before)
    distance = torch.where(moving, torch.abs(time - at) / gap, torch.zeros_like(at))

    side = (~later).long()[:, None, None].expand(-1, 1, 3)
    velocity = select_rows(gaussians.velocities, index).gather(1, side).squeeze(1)
    spin = select_rows(gaussians.angular_velocities, index).gather(1, side).squeeze(1)
    turn = quaternions.from_axis_angle(distance[:, None] * spin)
    life_spans = torch.sigmoid(select_rows(gaussians.life_span_logits, index))
    opacities = torch.sigmoid(select_rows(gaussians.opacity_logits, index))
    return GaussiansAtTime(
        means=select_rows(gaussians.means, index) + distance[:, None] * velocity,
        quats=quaternions.multiply(select_rows(gaussians.quats, index), turn),
        scales=select_rows(gaussians.log_scales, index).exp(),
        opacities=opacities * fade(life_spans, distance, gamma),
        sh=select_rows(gaussians.sh, index),
        index=index,
    )
