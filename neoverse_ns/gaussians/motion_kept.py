"""Gaussians with some of their motion taken away: what motion in both directions is worth is seen by what lacks it."""

from __future__ import annotations

from typing import Literal

import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians

Motion = Literal["both", "forward", "none"]
"""Which motion Gaussians keep: toward both neighbouring keyframes, as published; toward the next alone; or none."""


def keep_motion(gaussians: DynamicGaussians, motion: Motion) -> DynamicGaussians:
    """The same Gaussians with no other motion than `motion` says; those that never move stay as they are.

    With `forward` backward velocities and turns are 0, and a keyframe's Gaussians live from its own time on: between
    two keyframes the earlier one alone is drawn, moved forward. Before the first keyframe its Gaussians stand still,
    because nothing else is there. With `none` everything stands still, and both neighbours are drawn as ever.

    Args:
        gaussians: One layer of a scene.
        motion: See :data:`Motion`.
    """
    if motion == "both":
        return gaussians
    velocities, turns = gaussians.velocities.clone(), gaussians.angular_velocities.clone()
    first = 0 if motion == "none" else 1
    velocities[:, first:] = 0
    turns[:, first:] = 0
    changed = gaussians.with_(velocities=velocities, angular_velocities=turns)
    if motion == "none" or not bool(gaussians.dynamic.any()):
        return changed
    before, at, after = gaussians.interval.unbind(-1)
    later = gaussians.dynamic & (at > at[gaussians.dynamic].min())
    # Lifetimes are open at both ends: the last number before its own time lets a keyframe live from that time on.
    just_before = torch.nextafter(at, torch.full_like(at, -torch.inf))
    return changed.with_(interval=torch.stack([torch.where(later, just_before, before), at, after], dim=-1))
