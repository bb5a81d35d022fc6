"""Depth, confidence and motion masks of all keyframes, from the pixels of training frames and the cameras."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.reconstruct.bundle.cameras.no_parallax import PRIOR_CONFIDENCE, prior_depth
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.depth.depth_edges import sharpen_edges
from neoverse_ns.reconstruct.bundle.depth.depth_model import DepthModel, fit_inverse_depth
from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import dense_depth
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.dynamic_objects import place_dynamic_objects
from neoverse_ns.reconstruct.bundle.motion.motion_cues import MotionCues
from neoverse_ns.reconstruct.bundle.motion.motion_search import STRIDE, MotionSearch
from neoverse_ns.reconstruct.bundle.motion.object_sizes import agree_on_sizes
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores
from neoverse_ns.reconstruct.split import FrameSplit


@dataclass(frozen=True)
class Surfaces:
    """What the keyframes show.

    Attributes:
        frames: Positions of these keyframes among the sampled frames: the split's, and every other training frame in
            which something moves.
        depth: z-depth in the units of the cameras they were solved with.
        confidence: Trust in it, in [0, 1].
        dynamic: Pixels that move on their own.
    """

    frames: list[int]
    depth: Float[Tensor, "k h w"]
    confidence: Float[Tensor, "k h w"]
    dynamic: Bool[Tensor, "k h w"]


@dataclass(frozen=True)
class Measured:
    """What one keyframe tells by itself.

    Attributes:
        depth: z-depth, of what moves as it seems from this keyframe.
        error: Typical error of its logarithm where things move.
        behind: The static surface, filled in behind what moves.
        confidence: Trust in the static depth, in [0, 1].
        dynamic: Pixels that move on their own.
        guessed: Nothing could be measured, so that the depth is a guess without edges of its own.
    """

    depth: Float[Tensor, "h w"]
    error: Float[Tensor, "h w"]
    behind: Float[Tensor, "h w"]
    confidence: Float[Tensor, "h w"]
    dynamic: Bool[Tensor, "h w"]
    guessed: bool = False


Edges = tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]
"""Depth with sharp edges, and the trust left in it."""


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
        clip: Only its training frames are looked at; what it ignores is filled, and neither moves nor counts.
        split: Which those are, and the keyframes.
        flow: Measured flow; only pairs of training frames are used.
        state: Poses and focal lengths.
        parallax: Whether the cameras move; if not, depth comes from the prior.
        config: Settings.
        model: Predicts what flow cannot tell; None leaves that to smoothness.
    """
    focal, viewmats = state.common_lens()
    motion = MotionSearch(
        clip,
        split.train,
        flow.between(split.train),
        viewmats,
        focal * clip.width,
        parallax,
        config.motion_threshold,
    )
    job, whole = _Job(clip, motion, config, model), set(split.keyframes)
    with progress("Measuring depth of keyframes", 2 * len(split.train) + 2 * len(whole)) as steps:
        sketches: list[Sketch] = []
        for sketch in map_on_cores(job.sketch, split.train):
            sketches.append(sketch)
            steps.advance()
        cues = [sketch.cues for sketch in sketches]
        masks: list[Bool[Tensor, "h w"]] = []
        for mask in map_on_cores(lambda place: motion.mask(place, split.train, cues), range(len(cues))):
            masks.append(mask)
            steps.advance()
        moving = {frame: mask for frame, mask in zip(split.train, masks, strict=True) if frame in whole or mask.any()}
        frames = list(moving)
        found: list[Measured] = []
        for measured in map_on_cores(lambda frame: job.measure(frame, moving[frame]), frames):
            found.append(measured)
            steps.advance(int(frames[len(found) - 1] in whole))
        depth, dynamic = torch.stack([one.depth for one in found]), torch.stack([one.dynamic for one in found])
        if job.places_dynamic_objects:
            error, behind = torch.stack([one.error for one in found]), torch.stack([one.behind for one in found])
            depth = agree_on_sizes(depth, error, behind, dynamic, frames, flow)
        edges: list[Edges] = []
        for sharp in map_on_cores(
            lambda place: job.sharpen(frames[place], found[place], depth[place]), range(len(frames))
        ):
            edges.append(sharp)
            steps.advance(int(frames[len(edges) - 1] in whole))
    confidence = torch.stack([one.confidence * trust for one, (_, trust) in zip(found, edges, strict=True)])
    return Surfaces(frames, torch.stack([sharp for sharp, _ in edges]), confidence, dynamic)


@dataclass(frozen=True)
class Sketch:
    """What a first look at a keyframe finds, at every `STRIDE`-th pixel.

    Attributes:
        inverse_depth: Of everything, as if nothing moved.
        cues: Of motion.
    """

    inverse_depth: Float[Tensor, "h w"]
    cues: MotionCues


@dataclass(frozen=True)
class _Job:
    """What all keyframes share: frames, the search for motion with flow and cameras, settings, a depth network."""

    clip: Clip
    motion: MotionSearch
    config: BundleConfig
    model: DepthModel | None

    def sketch(self, frame: int) -> Sketch:
        """Rough depth and the cues of motion."""
        small = self.clip.frames[frame][::STRIDE, ::STRIDE]
        views = self.motion.views(frame)
        prior = prior_depth(self.clip.height, self.clip.width)[::STRIDE, ::STRIDE]
        if views is None:
            return Sketch(1 / prior, MotionCues(torch.zeros_like(prior), torch.zeros_like(prior)))
        views = views.every(STRIDE)
        depth = prior
        if self.motion.parallax:
            depth, _ = dense_depth(views, small, self.config.depth_smoothness, (self.config.depth_iterations + 1) // 2)
        return Sketch(1 / depth, self.motion.cues(frame, views, depth))

    @property
    def places_dynamic_objects(self) -> bool:
        """Whether what moves is placed by what it stands on, and not by a prior."""
        return self.motion.parallax and self.model is None

    def measure(self, frame: int, moving: Bool[Tensor, "h w"]) -> Measured:
        """Depth and confidence of a keyframe in which `moving` moves."""
        image = self.clip.frames[frame]
        views = self.motion.views(frame)
        if views is None or not self.motion.parallax:
            guess = self._guessed(image)
            nothing = torch.zeros_like(guess)
            trust = torch.full_like(guess, PRIOR_CONFIDENCE)
            if self.clip.ignored is not None:
                trust = trust * ~self.clip.ignored[frame]
            return Measured(guess, nothing, guess, trust, moving, guessed=True)
        rounds = (self.config.depth_iterations + 1) // 2
        still = views.without(moving)
        behind, confidence = dense_depth(still, image, self.config.depth_smoothness, rounds)
        if self.model is None:
            depth, error = place_dynamic_objects(behind, moving, views)
            return Measured(depth, error, behind, confidence, moving)
        expected = fit_inverse_depth(self.model.inverse_depth(image), 1 / behind, confidence * ~moving)
        behind, confidence = dense_depth(still, image, self.config.depth_smoothness, rounds, 1 / behind, expected)
        return Measured(torch.where(moving, 1 / expected, behind), torch.zeros_like(behind), behind, confidence, moving)

    def sharpen(self, frame: int, measured: Measured, depth: Float[Tensor, "h w"]) -> Edges:
        """Depth whose edges lie on the image's; a guess stays as it is."""
        if measured.guessed:
            return depth, torch.ones_like(depth)
        sharp, trust = sharpen_edges(depth.numpy(), self.clip.frames[frame].numpy())
        return torch.from_numpy(sharp), torch.from_numpy(trust)

    def _guessed(self, image: UInt8[Tensor, "h w 3"]) -> Float[Tensor, "h w"]:
        """Depth of median 1 where nothing can be measured."""
        prior = prior_depth(*image.shape[:2])
        if self.model is None:
            return prior
        depth = 1 / fit_inverse_depth(self.model.inverse_depth(image), 1 / prior, torch.zeros_like(prior))
        return depth / depth.median()
