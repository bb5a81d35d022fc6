"""Time transition: a clip's Gaussians as they stand at one instant (NeoVerse, section 3.1, equations 2-4)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.lifetimes import lifetime_runs, lives
from neoverse_ns.gaussians.rows import contiguous_block, select_rows
from neoverse_ns.gaussians.run_transition import FEW_RUNS, move_runs
from neoverse_ns.geometry import quaternions

LIFE_SPAN_GAMMA = 10.0
"""Decay rate of opacity at the neighbouring keyframe (the released renderer's default)."""


def alive_at(
    gaussians: DynamicGaussians, time: float | Float[Tensor, "*t"], nearest_only: bool = False
) -> Bool[Tensor, "*t n"]:
    """Which Gaussians exist at one time, or at each of several.

    Args:
        gaussians: Those of the whole clip.
        time: Normalised time, or times [t].
        nearest_only: False draws both neighbouring keyframes (the release); True only the nearer one, ties to the
            earlier (the paper's text).
    """
    return lives(gaussians.interval, gaussians.dynamic, _as_time(gaussians, time)[..., None], nearest_only)


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
    time: float | Float[Tensor, ""],
    nearest_only: bool = False,
    gamma: float = LIFE_SPAN_GAMMA,
    blend: float | None = None,
) -> GaussiansAtTime:
    """Select the Gaussians alive at `time` and move them there; the cost is that of the ones alive.

    Differentiable with respect to every floating-point field but `interval`, and to a tensor `time`.

    Args:
        gaussians: Those of the whole clip.
        time: Normalised time.
        nearest_only: See :func:`alive_at`.
        gamma: See :func:`fade`.
        blend: A time in the same gap between keyframes, its ends included, as at which Gaussians are selected and
            fade; None blends as at `time`.
    """
    moment = _as_time(gaussians, time)
    seen = moment if blend is None else _as_time(gaussians, blend)
    runs = lifetime_runs(gaussians.interval, gaussians.dynamic)
    chosen = lives(runs.interval, runs.dynamic, seen.detach()[None], nearest_only)
    wants_gradients = torch.is_grad_enabled() and any(
        table.requires_grad for table in (moment, *gaussians.tensors().values())
    )
    if not wants_gradients and blend is None and int(chosen.sum()) <= FEW_RUNS:
        return move_runs(gaussians, runs.only(chosen), float(moment), gamma)
    return _moved(gaussians, runs.rows(chosen), moment, gamma, seen)


def _as_time(gaussians: DynamicGaussians, time: float | Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
    return torch.as_tensor(time, dtype=gaussians.interval.dtype, device=gaussians.device)


def _moved(
    gaussians: DynamicGaussians,
    index: Int64[Tensor, " m"],
    time: Float[Tensor, ""],
    gamma: float,
    blend: Float[Tensor, ""],
) -> GaussiansAtTime:
    """The rows `index` at `time`, faded as at `blend`."""
    block = contiguous_block(index)

    def rows(table: Tensor) -> Tensor:
        if block is not None and not (torch.is_grad_enabled() and table.requires_grad):
            return table[block]
        return select_rows(table, index)

    opacities = torch.sigmoid(rows(gaussians.opacity_logits))
    means, quats, moving = rows(gaussians.means), rows(gaussians.quats), rows(gaussians.dynamic)
    if bool(moving.any()):
        before, at, after = rows(gaussians.interval).unbind(-1)
        later = blend > at
        gap = torch.where(later, after - at, at - before)
        distance, faded = (
            torch.where(moving, torch.abs(moment - at) / gap, torch.zeros_like(at)) for moment in (time, blend)
        )
        velocity, angular = (
            torch.where(later[:, None], *rows(table).unbind(1))
            for table in (gaussians.velocities, gaussians.angular_velocities)
        )
        means = means + distance[:, None] * velocity
        quats = quaternions.multiply(quats, quaternions.from_axis_angle(distance[:, None] * angular))
        opacities = opacities * fade(torch.sigmoid(rows(gaussians.life_span_logits)), faded, gamma)
    return GaussiansAtTime(means, quats, rows(gaussians.log_scales).exp(), opacities, rows(gaussians.sh), index)
