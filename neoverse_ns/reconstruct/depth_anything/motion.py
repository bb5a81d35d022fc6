"""What moves on its own, from flow between training frames against the network's cameras and depth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, Pair, measure_flow, to_gray
from neoverse_ns.reconstruct.bundle.flow.frame_pairs import pair_graph
from neoverse_ns.reconstruct.bundle.motion.motion_cues import MotionCues
from neoverse_ns.reconstruct.bundle.motion.motion_search import STRIDE, MotionSearch
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.split import FrameSplit


@dataclass(frozen=True)
class FoundMotion:
    """Masks, and how well flow fits the network's geometry where nothing moves.

    Attributes:
        dynamic: Moving pixels of the keyframes.
        residual_px: Median residual of trusted flow, pixels.
        flow_used: Share of the pixels' views with trusted flow.
    """

    dynamic: Bool[Tensor, "k h w"]
    residual_px: float
    flow_used: float


def training_flow(clip: Clip, split: FrameSplit, config: DepthAnythingConfig) -> FlowField:
    """Flow between training frames, and between neighbouring keyframes, both ways; no other frame is looked at."""
    place = {frame: number for number, frame in enumerate(split.train)}
    alone = FrameSplit(list(range(len(split.train))), [], [place[k] for k in split.keyframes])
    if len(alone.train) < 2:
        return FlowField()
    middles: dict[Pair, int | None] = {
        (split.train[i], split.train[j]): None if middle is None else split.train[middle]
        for (i, j), middle in pair_graph(alone, config.gaps).items()
    }
    return measure_flow(to_gray(clip.frames.numpy()), middles, config.flow_noise)


def common_lens(cameras: PinholeCameras) -> tuple[float, Float[Tensor, "n 4 4"]]:
    """One focal length in pixels, and world-to-camera matrices with which it describes every camera.

    The network gives every frame a lens of its own. Through a lens (fx, fy, cx, cy) one sees what a centred one of
    focal length f sees once camera coordinates are stretched by fx / f and fy / f and sheared along the line of sight
    by what (cx, cy) is off; z-depth stays as it is. The matrices are these stretches times the rigid motions.
    """
    K = cameras.K.double()
    focal = float(K[:, [0, 1], [0, 1]].median())
    stretch = torch.eye(4, dtype=torch.float64).repeat(len(cameras), 1, 1)
    stretch[:, 0, 0], stretch[:, 1, 1] = K[:, 0, 0] / focal, K[:, 1, 1] / focal
    stretch[:, 0, 2] = (K[:, 0, 2] - cameras.width / 2) / focal
    stretch[:, 1, 2] = (K[:, 1, 2] - cameras.height / 2) / focal
    return focal, stretch @ torch.linalg.inv(cameras.c2w.double())


def find_motion(
    clip: Clip,
    split: FrameSplit,
    flow: FlowField,
    cameras: PinholeCameras,
    depth: Float[Tensor, "k h w"],
    parallax: bool,
    config: DepthAnythingConfig,
) -> FoundMotion:
    """Masks of the keyframes.

    Args:
        clip: Only its training frames are looked at.
        split: Which those are, and the keyframes.
        flow: Between training frames.
        cameras: Of all frames.
        depth: Of the keyframes, median 1.
        parallax: Whether the cameras move.
        config: Settings.
    """
    focal, viewmats = common_lens(cameras)
    search = MotionSearch(
        clip, split.train, flow, viewmats, focal, parallax, config.motion_threshold, config.depth_error
    )
    keyframes = split.keyframes
    small = depth[:, ::STRIDE, ::STRIDE].contiguous()

    def look(place: int) -> tuple[MotionCues, Tensor, Tensor]:
        views = search.views(keyframes[place])
        if views is None:
            nothing = torch.zeros_like(small[place])
            return MotionCues(nothing, nothing), nothing[None], nothing[None]
        views = views.every(STRIDE)
        error, _ = views.linearise(1 / small[place])
        return search.cues(keyframes[place], views, small[place]), error.norm(dim=1), views.weights

    cues, errors, weights = [], [], []
    with progress("Looking for motion", 2 * len(keyframes)) as steps:
        for found, error, weight in map_on_cores(look, range(len(keyframes))):
            cues.append(found)
            errors.append(error)
            weights.append(weight)
            steps.advance()
        masks = []
        for mask in map_on_cores(lambda place: search.mask(place, keyframes, cues), range(len(keyframes))):
            masks.append(mask)
            steps.advance()
    dynamic = torch.stack(masks)
    trusted = [w * ~mask[::STRIDE, ::STRIDE] > 0.5 for w, mask in zip(weights, masks, strict=True)]
    residuals = torch.cat([e[t] for e, t in zip(errors, trusted, strict=True)])
    share = sum(float((w > 0.5).sum()) for w in weights) / sum(w.numel() for w in weights)
    return FoundMotion(dynamic, float(residuals.median()) if len(residuals) else 0.0, share)
