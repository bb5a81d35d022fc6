"""Depth, confidence and motion masks of all keyframes, from the pixels of training frames and the cameras."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.degenerate import PRIOR_CONFIDENCE, prior_depth
from neoverse_ns.reconstruct.bundle.depth import dense_depth, gather_views
from neoverse_ns.reconstruct.bundle.flow import FlowField, texture_confidence, to_gray
from neoverse_ns.reconstruct.bundle.motion import moving_pixels
from neoverse_ns.reconstruct.bundle.normal_equations import State
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores
from neoverse_ns.reconstruct.split import FrameSplit


@dataclass(frozen=True)
class Surfaces:
    """What the keyframes show.

    Attributes:
        depth: z-depth in the units of the cameras they were solved with.
        confidence: Trust in it, in [0, 1].
        dynamic: Pixels that move on their own.
    """

    depth: Float[Tensor, "k h w"]
    confidence: Float[Tensor, "k h w"]
    dynamic: Bool[Tensor, "k h w"]


Surface = tuple[Float[Tensor, "h w"], Float[Tensor, "h w"], Bool[Tensor, "h w"]]
"""Depth, confidence and motion mask of one keyframe."""


def keyframe_surfaces(
    clip: Clip, split: FrameSplit, flow: FlowField, state: State, parallax: bool, config: BundleConfig
) -> Surfaces:
    """Measure every keyframe with its cameras fixed.

    Args:
        clip: Only its training frames are looked at.
        split: Which those are, and the keyframes.
        flow: Measured flow; only pairs of training frames are used.
        state: Poses and focal length.
        parallax: Whether the cameras move; if not, depth comes from the prior.
        config: Settings.
    """
    training = flow.between(split.train)

    def one(frame: int) -> Surface:
        return keyframe_surface(clip, frame, training, state, parallax, config)

    found: list[Surface] = []
    with progress("Measuring depth of keyframes", len(split.keyframes)) as steps:
        for surface in map_on_cores(one, split.keyframes):
            found.append(surface)
            steps.advance()
    return Surfaces(*(torch.stack(maps) for maps in zip(*found, strict=True)))


def keyframe_surface(
    clip: Clip, frame: int, flow: FlowField, state: State, parallax: bool, config: BundleConfig
) -> Surface:
    """Measure one keyframe; arguments as for `keyframe_surfaces`, with flow between training frames only."""
    shape = (clip.height, clip.width)
    image = clip.frames[frame]
    depth, confidence = prior_depth(*shape), torch.full(shape, PRIOR_CONFIDENCE)
    views = gather_views(flow, frame, state.poses, float(state.focal) * clip.width)
    if views is None:
        return depth, confidence, torch.zeros(shape, dtype=torch.bool)
    texture = torch.from_numpy(texture_confidence(to_gray(image[None].numpy())[0]))
    if parallax:
        rounds = (config.depth_iterations + 1) // 2
        depth, _ = dense_depth(views, image, config.depth_smoothness, rounds)
        # What moves on its own would be put at a wrong distance: it takes that of its surroundings instead.
        mask = moving_pixels(views, depth, texture, config.motion_threshold)
        depth, confidence = dense_depth(views.without(mask), image, config.depth_smoothness, rounds)
    return depth, confidence, moving_pixels(views, depth, texture, config.motion_threshold)
