"""Time transition run by run, for pictures that need no gradients: several times as fast as row by row.

Rows of one lifetime share the distance in time, the side they move to and the gap: what :func:`_moved` in transition.py
looks up and chooses for every Gaussian is a number here.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.lifetimes import Run

FEW_RUNS = 64
"""Up to so many living runs this pays; a clip has two or three."""

_SMALLEST = 1e-30


def move_runs(gaussians: DynamicGaussians, runs: list[Run], time: float, gamma: float) -> GaussiansAtTime:
    """The Gaussians of the living `runs` at `time`; no gradients.

    Args:
        gaussians: Those of the whole clip.
        runs: In the order of the rows.
        time: Normalised time.
        gamma: See :func:`neoverse_ns.gaussians.transition.fade`.
    """
    counts = [run.rows.stop - run.rows.start for run in runs]
    total = sum(counts)

    def empty(table: Tensor) -> Tensor:
        return table.new_empty(total, *table.shape[1:])

    means, quats, scales = empty(gaussians.means), empty(gaussians.quats), empty(gaussians.log_scales)
    opacities, index = empty(gaussians.opacity_logits), gaussians.keyframe.new_empty(total)
    block = _one_block([run.rows for run in runs])
    sh = empty(gaussians.sh) if block is None else gaussians.sh.detach()[block]
    first = 0
    with torch.no_grad():
        for run, count in zip(runs, counts, strict=True):
            rows, here = run.rows, slice(first, first + count)
            first += count
            torch.arange(rows.start, rows.stop, out=index[here])
            if block is None:
                sh[here] = gaussians.sh[rows]
            torch.exp(gaussians.log_scales[rows], out=scales[here])
            torch.sigmoid(gaussians.opacity_logits[rows], out=opacities[here])
            side, distance = _step(run, time)
            if distance == 0:
                means[here], quats[here] = gaussians.means[rows], gaussians.quats[rows]
                continue
            velocity = gaussians.velocities[rows][:, side]
            torch.add(gaussians.means[rows], velocity, alpha=distance, out=means[here])
            _turn(gaussians.quats[rows], gaussians.angular_velocities[rows][:, side], distance, quats[here])
            opacities[here] *= _fade(gaussians.life_span_logits[rows], distance, gamma)
    return GaussiansAtTime(means, quats, scales, opacities, sh, index)


def _one_block(parts: list[slice]) -> slice | None:
    """The slice that all `parts` make together, where they do."""
    if not parts or any(a.stop != b.start for a, b in pairwise(parts)):
        return None
    return slice(parts[0].start, parts[-1].stop)


def _step(run: Run, time: float) -> tuple[int, float]:
    """Which velocity applies (0 toward the next, 1 toward the previous keyframe) and which part of it."""
    if not run.dynamic or time == run.at:
        return 0, 0.0
    later = time > run.at
    return int(not later), abs(time - run.at) / (run.after - run.at if later else run.at - run.before)


def _turn(q: Float[Tensor, "n 4"], w: Float[Tensor, "n 3"], distance: float, out: Float[Tensor, "n 4"]) -> None:
    """`out` = q times the quaternion of the rotation vector `distance` w."""
    # Component by component in contiguous memory, products added in place: that is what takes the time.
    a, (x, y, z) = q.T.contiguous(), w.T.clone(memory_format=torch.contiguous_format)
    half = (x * x).addcmul_(y, y).addcmul_(z, z).sqrt_().mul_(distance / 2)
    cos = half.cos()
    # Where the angle underflows, w is zero for all that a quaternion can tell.
    sine = half.sin().div_(half.clamp_min_(_SMALLEST)).mul_(distance / 2)
    x, y, z = x.mul_(sine), y.mul_(sine), z.mul_(sine)
    turned = torch.empty_like(a)
    torch.mul(a[0], cos, out=turned[0]).addcmul_(a[1], x, value=-1).addcmul_(a[2], y, value=-1).addcmul_(
        a[3], z, value=-1
    )
    torch.mul(a[0], x, out=turned[1]).addcmul_(a[1], cos).addcmul_(a[2], z).addcmul_(a[3], y, value=-1)
    torch.mul(a[0], y, out=turned[2]).addcmul_(a[1], z, value=-1).addcmul_(a[2], cos).addcmul_(a[3], x)
    torch.mul(a[0], z, out=turned[3]).addcmul_(a[1], y).addcmul_(a[2], x, value=-1).addcmul_(a[3], cos)
    out.copy_(turned.T)


def _fade(life_span_logits: Float[Tensor, " n"], distance: float, gamma: float) -> Float[Tensor, " n"]:
    """See :func:`neoverse_ns.gaussians.transition.fade`; an exponential of the logarithm is cheaper than a power."""
    left = life_span_logits.sigmoid().neg_().add_(1 + 1e-6)
    return left.reciprocal_().mul_(math.log(distance)).exp_().mul_(-gamma).exp_()
