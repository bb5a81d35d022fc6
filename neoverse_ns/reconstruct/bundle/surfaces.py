"""Depth, confidence and motion masks of all keyframes, from the pixels of training frames and the cameras."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.degenerate import PRIOR_CONFIDENCE, prior_depth
from neoverse_ns.reconstruct.bundle.depth import dense_depth
from neoverse_ns.reconstruct.bundle.depth_model import DepthModel, fit_inverse_depth
from neoverse_ns.reconstruct.bundle.edges import sharpen_edges
from neoverse_ns.reconstruct.bundle.evidence import Evidence
from neoverse_ns.reconstruct.bundle.flow import FlowField
from neoverse_ns.reconstruct.bundle.motion_search import STRIDE, MotionSearch
from neoverse_ns.reconstruct.bundle.movers import place_movers
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
    clip: Clip,
    split: FrameSplit,
    flow: FlowField,
    state: State,
    parallax: bool,
    config: BundleConfig,
    model: DepthModel | None = None,
) -> Surfaces:
    """Measure every keyframe with its cameras fixed.

    Args:
        clip: Only its training frames are looked at.
        split: Which those are, and the keyframes.
        flow: Measured flow; only pairs of training frames are used.
        state: Poses and focal length.
        parallax: Whether the cameras move; if not, depth comes from the prior.
        config: Settings.
        model: Predicts what flow cannot tell; None leaves that to smoothness.
    """
    keyframes = split.keyframes
    motion = MotionSearch(
        clip,
        split.train,
        flow.between(split.train),
        state.poses,
        float(state.focal) * clip.width,
        parallax,
        config.motion_threshold,
    )
    job = _Job(clip, motion, config, model)
    with progress("Measuring depth of keyframes", 2 * len(keyframes)) as steps:
        sketches: list[Sketch] = []
        for sketch in map_on_cores(job.sketch, keyframes):
            sketches.append(sketch)
            steps.advance()
        found: list[Surface] = []
        for surface in map_on_cores(lambda place: job.finish(place, keyframes, sketches), range(len(keyframes))):
            found.append(surface)
            steps.advance()
    return Surfaces(*(torch.stack(maps) for maps in zip(*found, strict=True)))


@dataclass(frozen=True)
class Sketch:
    """What a first look at a keyframe finds, at every `STRIDE`-th pixel.

    Attributes:
        inverse_depth: Of everything, as if nothing moved.
        evidence: Of motion.
    """

    inverse_depth: Float[Tensor, "h w"]
    evidence: Evidence


@dataclass(frozen=True)
class _Job:
    """What all keyframes share: frames, the search for motion with flow and cameras, settings, a depth network."""

    clip: Clip
    motion: MotionSearch
    config: BundleConfig
    model: DepthModel | None

    def sketch(self, frame: int) -> Sketch:
        """Rough depth and the evidence of motion."""
        small = self.clip.frames[frame][::STRIDE, ::STRIDE]
        views = self.motion.views(frame)
        prior = prior_depth(self.clip.height, self.clip.width)[::STRIDE, ::STRIDE]
        if views is None:
            return Sketch(1 / prior, Evidence(torch.zeros_like(prior), torch.zeros_like(prior)))
        views = views.every(STRIDE)
        depth = prior
        if self.motion.parallax:
            depth, _ = dense_depth(views, small, self.config.depth_smoothness, (self.config.depth_iterations + 1) // 2)
        return Sketch(1 / depth, self.motion.evidence(frame, views, depth))

    def finish(self, place: int, keyframes: list[int], sketches: list[Sketch]) -> Surface:
        """Mask, depth and confidence of the keyframe number `place`."""
        frame = keyframes[place]
        shape = (self.clip.height, self.clip.width)
        image = self.clip.frames[frame]
        moving = self.motion.mask(place, keyframes, [sketch.evidence for sketch in sketches])
        views = self.motion.views(frame)
        if views is None or not self.motion.parallax:
            return self._guessed(image), torch.full(shape, PRIOR_CONFIDENCE), moving
        rounds = (self.config.depth_iterations + 1) // 2
        still = views.without(moving)
        depth, confidence = dense_depth(still, image, self.config.depth_smoothness, rounds)
        if self.model is None:
            depth = place_movers(depth, moving, views)
        else:
            expected = fit_inverse_depth(self.model.inverse_depth(image), 1 / depth, confidence * ~moving)
            depth, confidence = dense_depth(still, image, self.config.depth_smoothness, rounds, 1 / depth, expected)
            depth = torch.where(moving, 1 / expected, depth)
        depth, trust = sharpen_edges(depth.numpy(), image.numpy())
        return torch.from_numpy(depth), confidence * torch.from_numpy(trust), moving

    def _guessed(self, image: UInt8[Tensor, "h w 3"]) -> Float[Tensor, "h w"]:
        """Depth of median 1 where nothing can be measured."""
        prior = prior_depth(*image.shape[:2])
        if self.model is None:
            return prior
        depth = 1 / fit_inverse_depth(self.model.inverse_depth(image), 1 / prior, torch.zeros_like(prior))
        return depth / depth.median()
