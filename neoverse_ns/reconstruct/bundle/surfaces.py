"""Depth, confidence and motion masks of all keyframes, from the pixels of training frames and the cameras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.reconstruct.bundle.cameras.no_parallax import PRIOR_CONFIDENCE, prior_depth
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.depth.depth_edges import sharpen_edges
from neoverse_ns.reconstruct.bundle.depth.depth_model import DepthModel, fit_inverse_depth
from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import Views, dense_depth
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import KeyframeFlows
from neoverse_ns.reconstruct.bundle.motion.motion_cues import MotionCues
from neoverse_ns.reconstruct.bundle.motion.motion_search import STRIDE, MotionSearch
from neoverse_ns.reconstruct.bundle.motion.moving_keyframes import moving_keyframes
from neoverse_ns.reconstruct.bundle.motion.place_things import Still, place_things
from neoverse_ns.reconstruct.bundle.motion.thing_masks import refine_masks
from neoverse_ns.reconstruct.bundle.motion.things import Things, find_things
from neoverse_ns.reconstruct.bundle.motion.uncovered import reaching, still_view, uncovered_cues
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
        things: Which thing every pixel shows: 0 for what is still, else a number that is the same in all keyframes.
    """

    frames: list[int]
    depth: Float[Tensor, "k h w"]
    confidence: Float[Tensor, "k h w"]
    things: Int[Tensor, "k h w"]

    @property
    def dynamic(self) -> Bool[Tensor, "k h w"]:
        """Pixels that move on their own."""
        return self.things > 0


@dataclass(frozen=True)
class Measured:
    """What one keyframe tells by itself.

    Attributes:
        depth: z-depth of the static surface, filled in behind what moves.
        confidence: Trust in it, in [0, 1].
        expected: Depth of everything as the depth network sees it; None without one.
    """

    depth: Float[Tensor, "h w"]
    confidence: Float[Tensor, "h w"]
    expected: Float[Tensor, "h w"] | None


Result = TypeVar("Result")

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
    job, train = _Job(clip, motion, config, model), split.train
    with progress("Measuring depth of keyframes", 4 * len(train)) as steps:

        def of_all(function: Callable[[int], Result], count: int) -> list[Result]:
            results: list[Result] = []
            for result in map_on_cores(function, range(count)):
                results.append(result)
                steps.advance()
            return results

        sketches = of_all(lambda place: job.sketch(train[place]), len(train))
        things = _find_things(job, train, sketches, KeyframeFlows(flow, train), of_all)
        things, frames = moving_keyframes(things, split)
        labels = torch.from_numpy(things.labels)
        measured = of_all(lambda place: job.measure(frames[place], labels[place] > 0), len(frames))
        still, times = job.still(measured, frames), clip.seconds[frames].numpy()
        depth = place_things(things, still, KeyframeFlows(flow, frames), lambda place: job.views(frames[place]), times)
        edges = of_all(lambda place: job.sharpen(frames[place], depth[place], labels[place] > 0), len(frames))
        # Where nothing moves fewer frames were measured than there might have been.
        steps.advance(2 * (len(train) - len(frames)))
    confidence = torch.stack([one.confidence * trust for one, (_, trust) in zip(measured, edges, strict=True)])
    return Surfaces(frames, torch.stack([sharp for sharp, _ in edges]), confidence, labels)


@runtime_checkable
class _ForAll(Protocol):
    """Runs a function for so many places, with progress."""

    def __call__(self, function: Callable[[int], Result], count: int) -> list[Result]: ...


def _find_things(job: _Job, train: list[int], sketches: list[Sketch], flows: KeyframeFlows, of_all: _ForAll) -> Things:
    """What moves in the training frames, told apart.

    Args:
        job: What the frames share.
        train: Positions of them.
        sketches: What a first look at each has found.
        flows: Between them.
        of_all: Runs the search in all of them.
    """
    clip, motion, cues = job.clip, job.motion, [sketch.cues for sketch in sketches]
    moving = torch.stack(of_all(lambda place: motion.mask(place, train, cues), len(train)))
    images = [clip.frames[frame] for frame in train]
    if motion.parallax and moving.any():
        uncovered = job.uncover(train, sketches, moving)
        whole = map_on_cores(lambda place: motion.mask(place, train, cues, uncovered), range(len(train)))
        moving = reaching(torch.stack(list(whole)), moving, flows)
    things = find_things(moving, images, flows)
    if not motion.parallax:
        # Before a camera that does not move colours that change have shown every outline to the pixel.
        return things
    return refine_masks(things, images, None if clip.ignored is None else ~clip.ignored[train], flows)


@dataclass(frozen=True)
class Sketch:
    """What a first look at a keyframe finds, at every `STRIDE`-th pixel.

    Attributes:
        depth: Of everything, as if nothing moved.
        confidence: Trust in it, in [0, 1].
        cues: Of motion.
    """

    depth: Float[Tensor, "h w"]
    confidence: Float[Tensor, "h w"]
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
            nothing = torch.zeros_like(prior)
            return Sketch(prior, nothing, MotionCues(nothing, nothing))
        views = views.every(STRIDE)
        depth, confidence = prior, torch.zeros_like(prior)
        if self.motion.parallax:
            rounds = (self.config.depth_iterations + 1) // 2
            depth, confidence = dense_depth(views, small, self.config.depth_smoothness, rounds)
        return Sketch(depth, confidence, self.motion.cues(frame, views, depth))

    def uncover(self, frames: list[int], sketches: list[Sketch], moving: Bool[Tensor, "k h w"]) -> list[MotionCues]:
        """What colours say beside those of the still world, as other keyframes have seen it."""
        views = [
            still_view(
                self.clip.frames[frame].numpy(),
                sketch.depth,
                sketch.confidence,
                mask.numpy(),
                self.motion.viewmats[frame],
                STRIDE,
                None if self.clip.ignored is None else self.clip.ignored[frame].numpy(),
            )
            for frame, sketch, mask in zip(frames, sketches, moving, strict=True)
        ]
        return uncovered_cues(views, self.motion.focal / STRIDE)

    def views(self, frame: int) -> Views | None:
        """Flow cues of a keyframe, where cameras tell anything about depth."""
        return self.motion.views(frame) if self.measurable(frame) else None

    def measurable(self, frame: int) -> bool:
        """Whether the depth of a keyframe is more than a guess without edges of its own."""
        return self.motion.parallax and any(i == frame for i, _ in self.motion.flow.flow)

    def measure(self, frame: int, moving: Bool[Tensor, "h w"]) -> Measured:
        """Static depth and confidence of a keyframe."""
        image = self.clip.frames[frame]
        views = self.views(frame)
        if views is None:
            guess = self._guessed(image)
            trust = torch.full_like(guess, PRIOR_CONFIDENCE)
            if self.clip.ignored is not None:
                trust = trust * ~self.clip.ignored[frame]
            return Measured(guess, trust, None if self.model is None else guess)
        rounds = (self.config.depth_iterations + 1) // 2
        still = views.without(moving)
        behind, confidence = dense_depth(still, image, self.config.depth_smoothness, rounds)
        if self.model is None:
            return Measured(behind, confidence, None)
        expected = fit_inverse_depth(self.model.inverse_depth(image), 1 / behind, confidence * ~moving)
        behind, confidence = dense_depth(still, image, self.config.depth_smoothness, rounds, 1 / behind, expected)
        return Measured(behind, confidence, 1 / expected)

    def still(self, measured: list[Measured], keyframes: list[int]) -> Still:
        """What does not move in all keyframes."""
        expected = [one.expected for one in measured if one.expected is not None]
        return Still(
            torch.stack([one.depth for one in measured]),
            torch.stack([one.confidence for one in measured]),
            torch.stack(expected) if len(expected) == len(measured) else None,
            self.motion.viewmats[keyframes],
            self.motion.focal,
            self.motion.parallax,
        )

    def sharpen(self, frame: int, depth: Float[Tensor, "h w"], moving: Bool[Tensor, "h w"]) -> Edges:
        """Depth whose edges lie on the image's; a guess stays as it is, and so do things, which shall stay whole."""
        if not self.measurable(frame):
            return depth, torch.ones_like(depth)
        sharp, trust = sharpen_edges(depth.numpy(), self.clip.frames[frame].numpy())
        return torch.where(moving, depth, torch.from_numpy(sharp)), torch.from_numpy(trust)

    def _guessed(self, image: UInt8[Tensor, "h w 3"]) -> Float[Tensor, "h w"]:
        """Depth of median 1 where nothing can be measured."""
        prior = prior_depth(*image.shape[:2])
        if self.model is None:
            return prior
        depth = 1 / fit_inverse_depth(self.model.inverse_depth(image), 1 / prior, torch.zeros_like(prior))
        return depth / depth.median()
