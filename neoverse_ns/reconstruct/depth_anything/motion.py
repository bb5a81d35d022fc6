"""What moves on its own, from flow between training frames against the network's cameras and depth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, to_gray
from neoverse_ns.reconstruct.bundle.motion.motion_cues import MotionCues
from neoverse_ns.reconstruct.bundle.motion.motion_search import STRIDE, MotionSearch
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores
from neoverse_ns.reconstruct.bundle.tracks.tracked_flow import tracked_flow
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.split import FrameSplit


@dataclass(frozen=True)
class FoundMotion:
    """Masks, and how well flow fits the network's geometry where nothing moves.

    Attributes:
        dynamic: Moving pixels of the training frames.
        residual_px: Median residual of trusted flow, pixels.
        flow_used: Share of the pixels' views with trusted flow.
    """

    dynamic: Bool[Tensor, "t h w"]
    residual_px: float
    flow_used: float


def training_flow(clip: Clip, split: FrameSplit, config: DepthAnythingConfig) -> FlowField:
    """Flow between training frames, and between neighbouring keyframes, both ways; no other frame is looked at but
    those of the source between them that may be used (`Clip.tracking`)."""
    train = split.train
    if len(train) < 2:
        return FlowField()
    part, place = clip.part(train), {frame: number for number, frame in enumerate(train)}
    alone = FrameSplit(list(range(len(train))), [], [place[k] for k in split.keyframes])
    found = tracked_flow(part, to_gray(part.frames.numpy()), alone, config.gaps, config.flow_noise)
    names = {(i, j): (train[i], train[j]) for i, j in found.pairs}
    return FlowField(
        {names[pair]: found.flow[pair] for pair in found.pairs},
        {names[pair]: found.confidence[pair] for pair in found.pairs},
    )


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


def search_motion(
    clip: Clip,
    split: FrameSplit,
    flow: FlowField,
    cameras: PinholeCameras,
    parallax: bool,
    config: DepthAnythingConfig,
) -> MotionSearch:
    """What the search for motion needs.

    Args:
        clip: Only its training frames are looked at.
        split: Which those are.
        flow: Between training frames.
        cameras: Of all frames; the unit is the median depth.
        parallax: Whether they move.
        config: Settings.
    """
    focal, viewmats = common_lens(cameras)
    threshold, error = config.motion_threshold, config.depth_error
    return MotionSearch(clip, split.train, flow, viewmats, focal, parallax, threshold, error)


def find_motion(search: MotionSearch, depth: Float[Tensor, "t h w"]) -> FoundMotion:
    """Masks of the training frames.

    Args:
        search: Made by :func:`search_motion`.
        depth: Of the training frames, median 1.
    """
    train = search.train
    small = depth[:, ::STRIDE, ::STRIDE].contiguous()

    def look(place: int) -> tuple[MotionCues, Tensor, Tensor]:
        views = search.views(train[place])
        if views is None:
            nothing = torch.zeros_like(small[place])
            return MotionCues(nothing, nothing), nothing[None], nothing[None]
        views = views.every(STRIDE)
        error, _ = views.linearise(1 / small[place])
        return search.cues(train[place], views, small[place]), error.norm(dim=1), views.weights

    cues, errors, weights = [], [], []
    with progress("Looking for motion", 2 * len(train)) as steps:
        for found, error, weight in map_on_cores(look, range(len(train))):
            cues.append(found)
            errors.append(error)
            weights.append(weight)
            steps.advance()
        masks = []
        for mask in map_on_cores(lambda place: search.mask(place, train, cues), range(len(train))):
            masks.append(mask)
            steps.advance()
    dynamic = torch.stack(masks)
    trusted = [w * ~mask[::STRIDE, ::STRIDE] > 0.5 for w, mask in zip(weights, masks, strict=True)]
    residuals = torch.cat([e[t] for e, t in zip(errors, trusted, strict=True)])
    share = sum(float((w > 0.5).sum()) for w in weights) / sum(w.numel() for w in weights)
    return FoundMotion(dynamic, float(residuals.median()) if len(residuals) else 0.0, share)
