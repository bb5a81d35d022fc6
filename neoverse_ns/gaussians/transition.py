"""Time transition: a clip's Gaussians as they stand at one instant (NeoVerse, section 3.1, equations 2-4)."""

from __future__ import annotations

from itertools import accumulate

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.instant import GaussiansAtTime, GaussiansAtTimes
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
    among: Bool[Tensor, " n"] | None = None,
    blend: float | None = None,
) -> GaussiansAtTime:
    """Select the Gaussians alive at `time` and move them there; the cost is that of the ones alive.

    Differentiable with respect to every floating-point field but `interval`, and to a tensor `time`.

    Args:
        gaussians: Those of the whole clip.
        time: Normalised time.
        nearest_only: See :func:`alive_at`.
        gamma: See :func:`fade`.
        among: Take only these rows; None takes all.
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
        return move_runs(gaussians, runs.only(chosen), float(moment), gamma, among)
    return _moved(gaussians, _among(runs.rows(chosen), among), moment, gamma, distinct=True, blend=seen)


def at_times(
    gaussians: DynamicGaussians,
    times: Float[Tensor, " t"],
    nearest_only: bool = False,
    gamma: float = LIFE_SPAN_GAMMA,
    among: Bool[Tensor, " n"] | None = None,
) -> GaussiansAtTimes:
    """:func:`at_time` for several times at once, as for a batch of cameras with a time each.

    All times are held in memory together; for a long path call :func:`at_time` in a loop, which is as fast.
    """
    chosen = [_rows_alive(gaussians, moment, nearest_only, among) for moment in _as_time(gaussians, times)]
    counts = [len(rows) for rows in chosen]
    index = torch.cat([gaussians.keyframe.new_zeros(0), *chosen])
    each = torch.repeat_interleave(_as_time(gaussians, times), index.new_tensor(counts))
    moved = _moved(gaussians, index, each, gamma, distinct=len(counts) <= 1)
    return GaussiansAtTimes(moved, [0, *accumulate(counts)])


def _as_time(gaussians: DynamicGaussians, time: float | Float[Tensor, "*t"]) -> Float[Tensor, "*t"]:
    return torch.as_tensor(time, dtype=gaussians.interval.dtype, device=gaussians.device)


def _rows_alive(
    gaussians: DynamicGaussians, time: Float[Tensor, ""], nearest_only: bool, among: Bool[Tensor, " n"] | None
) -> Int64[Tensor, " m"]:
    runs = lifetime_runs(gaussians.interval, gaussians.dynamic)
    return _among(runs.rows(lives(runs.interval, runs.dynamic, time.detach()[None], nearest_only)), among)


def _among(index: Int64[Tensor, " m"], among: Bool[Tensor, " n"] | None) -> Int64[Tensor, " k"]:
    return index if among is None else index[among.index_select(0, index)]


def _moved(
    gaussians: DynamicGaussians,
    index: Int64[Tensor, " m"],
    time: Float[Tensor, "*m"],
    gamma: float,
    distinct: bool,
    blend: Float[Tensor, "*m"] | None = None,
) -> GaussiansAtTime:
    """The rows `index` at `time`, which is one for all or one each, faded as at `blend`."""
    blend = time if blend is None else blend
    block = contiguous_block(index) if distinct else None

    def rows(table: Tensor) -> Tensor:
        if block is not None and not (torch.is_grad_enabled() and table.requires_grad):
            return table[block]
        return select_rows(table, index, distinct)

    opacities = torch.sigmoid(rows(gaussians.opacity_logits))
    means, quats, moving = rows(gaussians.means), rows(gaussians.quats), rows(gaussians.dynamic)
    if bool(moving.any()):
        before, at, after = rows(gaussians.interval).unbind(-1)
        later = blend > at
        gap = torch.where(later, after - at, at - before)
        distance, faded = (
            torch.where(moving, torch.abs(moment - at) / gap, torch.zeros_like(at)) for moment in (time, blend)
        )
        velocity, spin = (
            torch.where(later[:, None], *rows(table).unbind(1))
            for table in (gaussians.velocities, gaussians.angular_velocities)
        )
        means = means + distance[:, None] * velocity
        quats = quaternions.multiply(quats, quaternions.from_axis_angle(distance[:, None] * spin))
        opacities = opacities * fade(torch.sigmoid(rows(gaussians.life_span_logits)), faded, gamma)
    return GaussiansAtTime(means, quats, rows(gaussians.log_scales).exp(), opacities, rows(gaussians.sh), index)
