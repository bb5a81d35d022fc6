"""Cameras found in one pass, brought to the keyframes' own, which were found in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.alignment import align_cameras
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.geometry.se3 import se3_inverse


def follow_keyframes(
    answer: PinholeCameras,
    anchors: PinholeCameras,
    times: Float[Tensor, " n"],
    scale: float | None,
    anchored: bool,
) -> PinholeCameras:
    """Cameras of the other frames of a pass, in the world of the keyframes' own cameras.

    Args:
        answer: Of the keyframes, then of the others, in the world of their own pass.
        anchors: The same keyframes' own cameras.
        times: Of all frames of the pass, in its order.
        scale: Unit of the keyframes' world over that of the pass, where both worlds are that of the first keyframe;
            None where they differ in more than that.
        anchored: See :func:`anchor_cameras`; otherwise nothing but that is changed.
    """
    count = len(anchors)
    if scale is None:
        c2w = align_cameras(answer.c2w[:count], anchors.c2w).apply_c2w(answer.c2w)
    else:
        c2w = answer.c2w.clone()
        c2w[:, :3, 3] *= scale
    answer = replace(answer, c2w=c2w)
    if not anchored:
        return answer[count:]
    order = times.argsort()
    back = order.argsort()
    positions = back[:count]
    by_time = positions.argsort()
    followed = anchor_cameras(answer[order], anchors[by_time], positions[by_time].tolist(), times[order])
    return followed[back[count:]]


def anchor_cameras(
    cameras: PinholeCameras, anchors: PinholeCameras, positions: Sequence[int], at: Float[Tensor, " n"]
) -> PinholeCameras:
    """Let a pass's cameras follow the keyframes' own, between which they were found.

    At every keyframe the pass's camera is off by some rigid motion and some factor of focal length; in between both are
    interpolated. So a frame keeps its place relative to the keyframes beside it, from which the Gaussians were lifted.

    Args:
        cameras: All of the pass, in time order, of the keyframes' scale.
        anchors: The keyframes' own cameras, in order.
        positions: Their places in `cameras`, ascending.
        at: Times of the pass's frames, ascending.
    """
    places = torch.as_tensor(positions)
    # Acting on the world's side, one correction moves neighbouring frames without changing how they lie to each other.
    off = anchors.c2w @ se3_inverse(cameras.c2w[places])
    factors = (anchors.K[:, [0, 1], [0, 1]] / cameras.K[places][:, [0, 1], [0, 1]]).log()
    where = _fraction(at[places], at)
    c2w = interpolate_c2w(off, where) @ cameras.c2w
    before = where.floor().long().clamp(max=max(len(places) - 2, 0))
    after = (before + 1).clamp(max=len(places) - 1)
    factor = torch.lerp(factors[before], factors[after], (where - before)[:, None]).exp()
    K = cameras.K.clone()
    K[:, [0, 1], [0, 1]] = K[:, [0, 1], [0, 1]] * factor
    return PinholeCameras(c2w, K, cameras.width, cameras.height)


def _fraction(known: Float[Tensor, " k"], at: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Where times lie among known ones: 1.5 is halfway between the second and the third; ends stay ends."""
    if len(known) == 1:
        return torch.zeros_like(at)
    after = torch.searchsorted(known, at).clamp(1, len(known) - 1)
    before = after - 1
    return (before + (at - known[before]) / (known[after] - known[before])).clamp(0, len(known) - 1)
