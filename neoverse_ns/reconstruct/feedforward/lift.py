"""From keyframes' splats to one flat set of 4D Gaussians."""

from __future__ import annotations

import torch
from jaxtyping import Float, Real
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate
from neoverse_ns.networks.neoverse.splats import KeyframeSplats

_CONSTANT_LIFE_LOGIT = 16.0
"""Of Gaussians whose life span is never read."""


def to_dynamic_gaussians(
    splats: list[KeyframeSplats],
    timestamps: Real[Tensor, " s"],
    span: tuple[float, float] | None = None,
) -> DynamicGaussians:
    """One clip's Gaussians, in the order of `splats`.

    Each lives between its neighbouring keyframes; at the clip's ends the interval is mirrored, so that it always has a
    length. Gaussians predicted without motion stay where they are and fade.

    Args:
        splats: See :func:`neoverse_ns.networks.neoverse.splats.keyframe_splats`.
        timestamps: Times of all keyframes of the clip.
        span: What times count as 0 and 1; by default those of the first and the last keyframe.

    Raises:
        SettingsError: The times of a clip with dynamic Gaussians do not ascend.
    """
    device = splats[0].means.device
    times = _normalised(timestamps, span).to(device)
    if bool((times.diff() <= 0).any()) and not all(part.is_constant for part in splats):
        raise SettingsError("keyframes of a dynamic clip must have ascending times, all different")
    intervals = keyframe_intervals(times)
    return concatenate([_flat(part, intervals) for part in splats])


def keyframe_intervals(times: Float[Tensor, " s"]) -> Float[Tensor, "s 3"]:
    """Previous, own and next keyframe's time of every keyframe; mirrored at the ends, 1 apart for a single one."""
    if len(times) == 1:
        gaps = times.new_ones(1)
    else:
        gaps = times.diff()
    return torch.stack([times - torch.cat([gaps[:1], gaps])[: len(times)], times, times + _after(gaps, len(times))], -1)


def _after(gaps: Float[Tensor, " m"], count: int) -> Float[Tensor, " s"]:
    return torch.cat([gaps, gaps[-1:]])[:count]


def _normalised(timestamps: Real[Tensor, " s"], span: tuple[float, float] | None) -> Float[Tensor, " s"]:
    times = timestamps.double()
    first, last = span or (float(times[0]), float(times[-1]))
    return ((times - first) / ((last - first) or 1.0)).float()


def _flat(part: KeyframeSplats, intervals: Float[Tensor, "s 3"]) -> DynamicGaussians:
    life_span_logits = part.life_span_logits
    if life_span_logits is None:
        life_span_logits = torch.full_like(part.opacity_logits, _CONSTANT_LIFE_LOGIT)
    return DynamicGaussians(
        means=part.means,
        quats=part.rotations,
        log_scales=part.log_scales,
        opacity_logits=part.opacity_logits,
        sh=part.harmonics,
        keyframe=part.keyframe,
        interval=intervals[part.keyframe],
        velocities=_both(part.forward_vel, part.backward_vel, part.means),
        angular_velocities=_both(part.forward_rotations, part.backward_rotations, part.means),
        life_span_logits=life_span_logits,
        dynamic=torch.full((len(part),), not part.is_constant, dtype=torch.bool, device=part.means.device),
    )


def _both(ahead: Tensor | None, behind: Tensor | None, like: Float[Tensor, "n 3"]) -> Float[Tensor, "n 2 3"]:
    """Toward the next and the previous keyframe; zero where there is none."""
    return torch.stack([torch.zeros_like(like) if side is None else side for side in (ahead, behind)], dim=1)
