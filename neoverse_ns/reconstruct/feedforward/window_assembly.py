"""Windows of keyframes put together into one scene in this package's world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.gaussians.transform import transform
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import Reconstruction, SceneGeometry
from neoverse_ns.reconstruct.feedforward.keyframe_window import WindowResult
from neoverse_ns.reconstruct.feedforward.surfaces import Surfaces
from neoverse_ns.reconstruct.frame_windows import chain_windows


@dataclass(frozen=True)
class JoinedWindows:
    """All frames in the first window's world and unit.

    Attributes:
        cameras: Of every sampled frame.
        surfaces: Of every keyframe.
        gaussians: Of every keyframe.
    """

    cameras: PinholeCameras
    surfaces: Surfaces
    gaussians: DynamicGaussians


def join_windows(windows: list[WindowResult], owned: list[range], keyframes: list[int], clip: Clip) -> JoinedWindows:
    """Bring every window into the first one's world by the keyframes that neighbours share.

    Args:
        windows: In order; all frames that are not keyframes appear once.
        owned: Numbers of the keyframes that each window answers for.
        keyframes: Positions of the keyframes.
        clip: The frames; only their number and size matter.
    """
    moves = chain_windows(
        [window.seen for window in windows],
        [window.keyframes.c2w for window in windows],
        [window.surfaces.depth for window in windows],
        [window.surfaces.confidence for window in windows],
    )
    c2w = torch.eye(4).repeat(len(clip), 1, 1)
    K = torch.eye(3).repeat(len(clip), 1, 1)
    depth, confidence, dynamic, gaussians = [], [], [], []
    for window, own, move in zip(windows, owned, moves, strict=True):
        rows = slice(own.start - window.seen.start, own.stop - window.seen.start)
        known = [keyframes[number] for number in own]
        for frames, cameras in ((known, window.keyframes[rows]), (window.frames, window.cameras)):
            c2w[frames] = move.apply_c2w(cameras.c2w)
            K[frames] = cameras.K
        depth.append(float(move.scale) * window.surfaces.depth[rows])
        confidence.append(window.surfaces.confidence[rows])
        dynamic.append(window.surfaces.dynamic[rows])
        gaussians.append(transform(window.gaussians, move))
    cameras = PinholeCameras(c2w, K, clip.width, clip.height)
    surfaces = Surfaces(torch.cat(depth), torch.cat(confidence), torch.cat(dynamic))
    return JoinedWindows(cameras, surfaces, concatenate(gaussians))


def to_scene(joined: JoinedWindows, keyframes: list[int], report: dict[str, Any]) -> Reconstruction:
    """The scene with the first frame's camera as the world and the keyframes' median depth as the unit."""
    unit = joined.surfaces.depth.median().to(torch.float64)
    move = _to_first_camera(joined.cameras.c2w[0], 1 / unit)
    c2w = move.apply_c2w(joined.cameras.c2w)
    # Exact where round-off would leave traces that look like motion.
    c2w[0] = torch.eye(4)
    cameras = PinholeCameras(c2w, joined.cameras.K, joined.cameras.width, joined.cameras.height)
    gaussians = LayeredGaussians({FRAMES: transform(joined.gaussians, move)})
    focal = float(cameras.K[:, 0, 0].median())
    facts = {
        "kind": "network",
        "focal_px": focal,
        "fov_degrees": float(2 * torch.rad2deg(torch.atan(torch.tensor(0.5 * cameras.width / focal)))),
        "focal_from": "predicted",
        "unit": float(unit),
        "num_gaussians": gaussians.count,
    }
    surfaces = joined.surfaces
    depth = surfaces.depth / unit.to(surfaces.depth)
    geometry = SceneGeometry(cameras, keyframes, depth, surfaces.confidence, surfaces.dynamic, facts | report)
    return Reconstruction(geometry, gaussians)


def _to_first_camera(c2w: Float[Tensor, "4 4"], scale: Float[Tensor, ""]) -> Sim3:
    R = c2w[:3, :3].to(torch.float64).T
    return Sim3(scale, R, -scale * (R @ c2w[:3, 3].to(torch.float64)))
