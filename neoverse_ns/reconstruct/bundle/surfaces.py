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
    shape = (clip.height, clip.width)
    depths, confidences, masks = [], [], []
    with progress("Measuring depth of keyframes", len(split.keyframes)) as steps:
        for frame in split.keyframes:
            views = gather_views(training, frame, state.poses, float(state.focal) * clip.width)
            depth, confidence = prior_depth(*shape), torch.full(shape, PRIOR_CONFIDENCE)
            mask = torch.zeros(shape, dtype=torch.bool)
            texture = torch.from_numpy(texture_confidence(to_gray(clip.frames[frame : frame + 1].numpy())[0]))
            if views is not None and parallax:
                image = clip.frames[frame]
                rounds = (config.depth_iterations + 1) // 2
                depth, _ = dense_depth(views, image, config.depth_smoothness, rounds)
                # What moves on its own would be put at a wrong distance: it takes that of its surroundings instead.
                mask = moving_pixels(views, depth, texture, config.motion_threshold)
                depth, confidence = dense_depth(views.without(mask), image, config.depth_smoothness, rounds)
            if views is not None:
                mask = moving_pixels(views, depth, texture, config.motion_threshold)
            depths.append(depth)
            confidences.append(confidence)
            masks.append(mask)
            steps.advance()
    return Surfaces(torch.stack(depths), torch.stack(confidences), torch.stack(masks))
