"""Clips too long for a network at once: overlapping windows, brought into one world by a similarity each.

Every window of a feed-forward network has its own world and its own unit of length. Two windows that share frames have
seen the same surfaces with the same cameras, so that the shared frames' depth maps give the ratio of the units (also
where the camera stands still, and centres say nothing), and their poses the rest.
"""

from __future__ import annotations

import itertools
import math

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3

SAMPLES = 1 << 18
"""Depths that are compared at most: a median needs no more."""


def plan_windows(count: int, length: int, overlap: int) -> list[range]:
    """Windows of `length` frames over `count` frames, each sharing at least `overlap` with the next.

    All have the same length, spread evenly, so that none is left with a few frames; a clip that fits is one window.

    Raises:
        SettingsError: Windows that share nothing cannot be joined, and ones that share all never end.
    """
    if not 1 <= overlap < length:
        raise SettingsError(f"windows of {length} frames need an overlap from 1 to {length - 1} frames, got {overlap}")
    if count <= length:
        return [range(count)]
    steps = math.ceil((count - length) / (length - overlap))
    starts = [round(k * (count - length) / steps) for k in range(steps + 1)]
    return [range(start, start + length) for start in starts]


def owned_frames(windows: list[range]) -> list[range]:
    """The frames that each window answers for: up to the middle of what it shares with its neighbours."""
    seams = [(after.start + before.stop + 1) // 2 for before, after in itertools.pairwise(windows)]
    bounds = [windows[0].start, *seams, windows[-1].stop]
    return [range(start, stop) for start, stop in itertools.pairwise(bounds)]


def join_similarity(
    source_c2w: Float[Tensor, "n 4 4"],
    target_c2w: Float[Tensor, "n 4 4"],
    source_depth: Float[Tensor, "n h w"],
    target_depth: Float[Tensor, "n h w"],
    trust: Float[Tensor, "n h w"] | None = None,
) -> Sim3:
    """The similarity from one prediction's world into another's, by frames that both have seen.

    Scale is the weighted median ratio of the depths, rotation the mean over the cameras (the nearest rotation to the
    sum of the relative ones), translation what then brings their centres together.

    Args:
        source_c2w: Cameras of the shared frames in the world to be moved.
        target_c2w: The same in the world to be met.
        source_depth: z-depth of the shared frames, positive, in the source's unit.
        target_depth: The same in the target's unit.
        trust: Weight of every pixel; None trusts all alike.
    """
    scale = _median_ratio(source_depth, target_depth, trust)
    source, target = source_c2w.double(), target_c2w.double()
    U, _, Vh = torch.linalg.svd((target[:, :3, :3] @ source[:, :3, :3].mT).sum(0))
    sign = torch.ones_like(U[0])
    sign[2] = torch.sign(torch.linalg.det(U) * torch.linalg.det(Vh))
    R = (U * sign) @ Vh
    t = (target[:, :3, 3] - scale * source[:, :3, 3] @ R.mT).mean(0)
    return Sim3(scale, R, t)


def chain_windows(
    windows: list[range],
    c2w: list[Float[Tensor, "n 4 4"]],
    depth: list[Float[Tensor, "n h w"]],
    trust: list[Float[Tensor, "n h w"]] | None = None,
) -> list[Sim3]:
    """Similarities that bring every window into the first one's world.

    Args:
        windows: Frames of each window, as of :func:`plan_windows`.
        c2w: Cameras of each window's frames in its own world.
        depth: z-depth of each window's frames in its own unit.
        trust: Weight of every pixel of each window.
    """
    identity = torch.eye(3, dtype=torch.float64)
    result = [Sim3(torch.ones((), dtype=torch.float64), identity, torch.zeros(3, dtype=torch.float64))]
    for k in range(1, len(windows)):
        shared = windows[k - 1].stop - windows[k].start
        before, weights = result[-1], None
        if trust is not None:
            weights = torch.minimum(trust[k - 1][-shared:], trust[k][:shared])
        result.append(
            join_similarity(
                c2w[k][:shared],
                before.apply_c2w(c2w[k - 1][-shared:]),
                depth[k][:shared],
                float(before.scale) * depth[k - 1][-shared:],
                weights,
            )
        )
    return result


def _median_ratio(source: Tensor, target: Tensor, trust: Tensor | None) -> Float[Tensor, ""]:
    every = max(1, source.numel() // SAMPLES)
    ratios = target.flatten()[::every].double().log() - source.flatten()[::every].double().log()
    weights = torch.ones_like(ratios) if trust is None else trust.flatten()[::every].double()
    weights = weights * ratios.isfinite()
    if float(weights.sum()) <= 0:
        weights = ratios.isfinite().double()
    ratios = ratios.nan_to_num(0.0, 0.0, 0.0)
    order = ratios.argsort()
    cumulative = weights[order].cumsum(0)
    place = torch.searchsorted(cumulative, 0.5 * cumulative[-1]).clamp_max(len(order) - 1)
    return ratios[order][place].exp()
