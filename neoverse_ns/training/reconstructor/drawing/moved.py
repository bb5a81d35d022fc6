"""Gaussians of a keyframe at its own time and on their way to a neighbour's."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.transition import fade
from neoverse_ns.geometry import quaternions
from neoverse_ns.networks.neoverse.pixel_splats import PixelSplats
from neoverse_ns.networks.neoverse.splats import KeyframeSplats

Side = Literal["next", "previous"]


def at_keyframe(pixels: PixelSplats, frame: int) -> GaussiansAtTime:
    """Those of one keyframe at its own time, when no other keyframe's are alive."""
    return _instant(pixels.means[frame], pixels.quats[frame], pixels.opacity_logits[frame].sigmoid(), pixels, frame)


def toward(pixels: PixelSplats, frame: int, side: Side, distance: Float[Tensor, ""], gamma: float) -> GaussiansAtTime:
    """Those of one keyframe on their way to a neighbour; see :mod:`neoverse_ns.gaussians.transition`.

    The same as selecting and moving a whole clip's Gaussians there, which would wait for the device at every frame to
    learn how many are alive.

    Args:
        pixels: Of a clip.
        frame: The keyframe.
        side: The neighbour; there must be one.
        distance: Share of the gap that has passed, in (0, 1).
        gamma: Decay rate of opacity.
    """
    row = frame if side == "next" else frame - 1
    velocities, turns = (
        (pixels.velocity_fwd, pixels.angular_fwd) if side == "next" else (pixels.velocity_bwd, pixels.angular_bwd)
    )
    means, quats = pixels.means[frame], pixels.quats[frame]
    if velocities is not None:
        means = means + distance * velocities[row]
    if turns is not None:
        quats = quaternions.multiply(quats, quaternions.from_axis_angle(distance * turns[row]))
    life_spans = pixels.weight_logits[frame].sigmoid()
    left = fade(life_spans, distance.expand(life_spans.shape), gamma)
    return _instant(means, quats, pixels.opacity_logits[frame].sigmoid() * left, pixels, frame)


def between(pixels: PixelSplats, gap: int, share: Float[Tensor, ""], gamma: float) -> GaussiansAtTime:
    """Those of both neighbours of a moment between two keyframes.

    Args:
        pixels: Of a clip.
        gap: Number of the earlier keyframe.
        share: Of the gap that has passed.
        gamma: Decay rate of opacity.
    """
    earlier, later = toward(pixels, gap, "next", share, gamma), toward(pixels, gap + 1, "previous", 1 - share, gamma)
    return GaussiansAtTime(
        means=torch.cat([earlier.means, later.means]),
        quats=torch.cat([earlier.quats, later.quats]),
        scales=torch.cat([earlier.scales, later.scales]),
        opacities=torch.cat([earlier.opacities, later.opacities]),
        sh=torch.cat([earlier.sh, later.sh]),
        index=torch.cat([earlier.index, later.index]),
    )


def constant(splats: KeyframeSplats) -> GaussiansAtTime:
    """Those that are the same at all times."""
    index = torch.arange(len(splats), device=splats.means.device)
    return GaussiansAtTime(splats.means, splats.rotations, splats.scales, splats.opacities, splats.harmonics, index)


def _instant(
    means: Float[Tensor, "n 3"],
    quats: Float[Tensor, "n 4"],
    opacities: Float[Tensor, " n"],
    pixels: PixelSplats,
    frame: int,
) -> GaussiansAtTime:
    index = torch.arange(len(means), device=means.device) + frame * len(means)
    return GaussiansAtTime(means, quats, pixels.log_scales[frame].exp(), opacities, pixels.sh[frame], index)
