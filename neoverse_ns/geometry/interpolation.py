"""Cameras between cameras."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import assemble


def interpolate_c2w(c2w: Float[Tensor, "n 4 4"], at: Float[Tensor, " m"]) -> Float[Tensor, "m 4 4"]:
    """Cameras at fractional positions: centres on straight lines, rotations at constant speed the short way round.

    Args:
        c2w: Cameras at positions 0 .. n-1.
        at: Positions wanted; those before the first or behind the last camera give that camera.
    """
    last = c2w.shape[0] - 1
    at = at.to(c2w).clamp(0, last)
    before = at.floor().long().clamp(max=max(last - 1, 0))
    after = (before + 1).clamp(max=last)
    fraction = at - before
    q = quaternions.from_matrix(c2w[:, :3, :3])
    R = quaternions.to_matrix(quaternions.slerp(q[before], q[after], fraction))
    t = torch.lerp(c2w[before, :3, 3], c2w[after, :3, 3], fraction[:, None])
    return assemble(R, t)


def camera_at(cameras: PinholeCameras, times: Float[Tensor, " n"], time: float) -> PinholeCameras:
    """The one camera that a moving camera is at some time.

    Args:
        cameras: One per time.
        times: When the camera was where, ascending.
        time: Before the first or behind the last it stands still.
    """
    last = len(times) - 1
    after = min(max(int((times < time).sum()), 1), last)
    before = max(after - 1, 0)
    gap = float(times[after] - times[before])
    share = min(max((time - float(times[before])) / gap, 0.0), 1.0) if gap > 0 else 0.0
    c2w = interpolate_c2w(cameras.c2w[[before, after]], cameras.c2w.new_tensor([share]))
    K = torch.lerp(cameras.K[[before]], cameras.K[[after]], share)
    return PinholeCameras(c2w, K, cameras.width, cameras.height)
