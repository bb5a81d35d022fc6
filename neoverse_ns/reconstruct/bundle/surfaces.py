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
from neoverse_ns.reconstruct.bundle.depth import Views, dense_depth, gather_views, turned_rays
from neoverse_ns.reconstruct.bundle.depth_model import DepthModel, fit_inverse_depth
from neoverse_ns.reconstruct.bundle.edges import sharpen_edges
from neoverse_ns.reconstruct.bundle.evidence import Evidence, colour_evidence, flow_evidence
from neoverse_ns.reconstruct.bundle.flow import FlowField
from neoverse_ns.reconstruct.bundle.motion import MOVING_CAMERA, STILL_CAMERA, gather_evidence, label_moving
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


STRIDE = 2
"""Spacing of the pixels at which motion is looked for."""

MOST_FRAMES = 12
"""Frames, beyond those with flow, in which a still camera looks for the same colours."""

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
    job = _Job(clip, split.train, flow.between(split.train), state, parallax, config, model)
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
    """What all keyframes share: training frames, the flow between them, cameras, settings, a depth network or none."""

    clip: Clip
    train: list[int]
    flow: FlowField
    state: State
    parallax: bool
    config: BundleConfig
    model: DepthModel | None

    def views(self, frame: int) -> Views | None:
        return gather_views(self.flow, frame, self.state.poses, float(self.state.focal) * self.clip.width)

    def sketch(self, frame: int) -> Sketch:
        """Rough depth and the evidence of motion."""
        image = self.clip.frames[frame]
        small = image[::STRIDE, ::STRIDE]
        views = self.views(frame)
        prior = prior_depth(self.clip.height, self.clip.width)[::STRIDE, ::STRIDE]
        if views is None:
            return Sketch(1 / prior, Evidence(torch.zeros_like(prior), torch.zeros_like(prior)))
        views = views.every(STRIDE)
        depth = prior
        if self.parallax:
            depth, _ = dense_depth(views, small, self.config.depth_smoothness, (self.config.depth_iterations + 1) // 2)
        by_flow = flow_evidence(views, 1 / depth, self.config.motion_threshold)
        by_colour = self._colour(frame, views, depth)
        # Where depth has been fitted to the same flow, colour is no second witness.
        free = 1 - (by_flow.moving + by_flow.still) if self.parallax else 1.0
        evidence = Evidence(by_flow.moving + free * by_colour.moving, by_flow.still + free * by_colour.still)
        return Sketch(1 / depth, evidence)

    def _colour(self, frame: int, views: Views, depth: Float[Tensor, "h w"]) -> Evidence:
        """What colours say; before a camera that does not move, in frames from all over the clip."""
        base, shift, targets = views.base, views.shift, views.targets
        if not self.parallax:
            spread = self.train[:: len(self.train) // MOST_FRAMES + 1]
            targets = sorted({*targets, *spread} - {frame})
            base, shift = turned_rays(
                frame, targets, self.state.poses, views.focal, (self.clip.height, self.clip.width)
            )
            base = base[..., ::STRIDE, ::STRIDE]
        others = [self.clip.frames[j].numpy() for j in targets]
        return colour_evidence(base, shift, views.focal, 1 / depth, self.clip.frames[frame].numpy(), others, STRIDE)

    def finish(self, place: int, keyframes: list[int], sketches: list[Sketch]) -> Surface:
        """Mask, depth and confidence of the keyframe number `place`."""
        frame = keyframes[place]
        shape = (self.clip.height, self.clip.width)
        beside = [(keyframes[k], sketches[k].evidence) for k in (place - 1, place + 1) if 0 <= k < len(keyframes)]
        evidence = gather_evidence(sketches[place].evidence, beside, frame, self.flow, STRIDE)
        image = self.clip.frames[frame]
        moving = label_moving(evidence, image, STRIDE, MOVING_CAMERA if self.parallax else STILL_CAMERA)
        views = self.views(frame)
        if views is None or not self.parallax:
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
