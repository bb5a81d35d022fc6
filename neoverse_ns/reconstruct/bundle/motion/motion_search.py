"""The search for what moves on its own, once cameras and depth of the keyframes are known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import Views, gather_views, turned_rays
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.flow.masked_flow import distrusted
from neoverse_ns.reconstruct.bundle.motion.motion_cues import MotionCues, colour_cues, flow_cues
from neoverse_ns.reconstruct.bundle.motion.motion_labels import (
    MOVING_CAMERA,
    STILL_CAMERA,
    UNCOVERED,
    gather_cues,
    label_moving,
    with_uncovered,
)

STRIDE = 2
"""Spacing of the pixels at which motion is looked for."""

MOST_FRAMES = 12
"""Frames, beyond those with flow, in which a still camera looks for the same colours."""

OVERHEARD = 0.5
"""Share of colour's word that is dropped where flow has spoken, if depth comes from elsewhere: more misses slow motion,
less takes the errors of flow at edges for motion."""


@dataclass(frozen=True)
class MotionSearch:
    """What the search needs of a clip.

    Attributes:
        clip: Only its training frames are looked at.
        train: Which those are.
        flow: Flow between training frames.
        viewmats: World-to-camera matrices of all frames, in units in which the median depth is about 1.
        focal: Focal length in pixels; the principal point is the image's middle.
        parallax: Whether the cameras move.
        threshold: Residual of flow at which motion is as likely as not, in multiples of the typical one.
        depth_error: Relative error of the depth, where it comes from elsewhere than this flow; None leaves it free.
    """

    clip: Clip
    train: list[int]
    flow: FlowField
    viewmats: Float[Tensor, "n 4 4"]
    focal: float
    parallax: bool
    threshold: float
    depth_error: float | None = None

    def views(self, frame: int) -> Views | None:
        """Where a keyframe's pixels are seen in other training frames; None where no flow leaves it."""
        return gather_views(self.flow, frame, self.viewmats, self.focal)

    def cues(self, frame: int, views: Views, depth: Float[Tensor, "h w"]) -> MotionCues:
        """What speaks for and against motion.

        Args:
            frame: The keyframe.
            views: Of every `STRIDE`-th of its pixels.
            depth: Of the same pixels, as if nothing moved.
        """
        by_flow = flow_cues(views, 1 / depth, self.threshold, self.depth_error)
        by_colour = self._colour(frame, views, depth)
        heard = by_flow.moving + by_flow.still
        if not self.parallax:
            free = torch.ones_like(heard)
        elif self.depth_error is None:
            # Where depth has been fitted to the same flow, colour is no second witness.
            free = 1 - heard
        else:
            free = 1 - OVERHEARD * heard
        return MotionCues(by_flow.moving + free * by_colour.moving, by_flow.still + free * by_colour.still)

    def _colour(self, frame: int, views: Views, depth: Float[Tensor, "h w"]) -> MotionCues:
        """What colours say; before a camera that does not move, in frames from all over the clip."""
        base, shift, targets = views.base, views.shift, views.targets
        if not self.parallax:
            spread = self.train[:: len(self.train) // MOST_FRAMES + 1]
            targets = sorted({*targets, *spread} - {frame})
            base, shift = turned_rays(frame, targets, self.viewmats, views.focal, (self.clip.height, self.clip.width))
            base = base[..., ::STRIDE, ::STRIDE]
        others = [self.clip.frames[j].numpy() for j in targets]
        hidden = None if self.clip.ignored is None else [self._near_ignored(j) for j in (frame, *targets)]
        image = self.clip.frames[frame].numpy()
        return colour_cues(base, shift, views.focal, 1 / depth, image, others, STRIDE, hidden)

    def _near_ignored(self, frame: int) -> Bool[ndarray, "H W"]:
        assert self.clip.ignored is not None
        return distrusted(self.clip.ignored[frame].numpy())

    def mask(
        self, place: int, keyframes: list[int], cues: list[MotionCues], uncovered: list[MotionCues] | None = None
    ) -> Bool[Tensor, "h w"]:
        """What moves in the keyframe number `place`, from all keyframes' cues, and from what they uncover of the still
        world, where that is known."""
        frame = keyframes[place]
        beside = [(keyframes[k], cues[k]) for k in (place - 1, place + 1) if 0 <= k < len(keyframes)]
        gathered = gather_cues(cues[place], beside, frame, self.flow, STRIDE)
        labelling = MOVING_CAMERA if self.parallax else STILL_CAMERA
        if uncovered is not None and bool(uncovered[place].moving.any()):
            gathered, labelling = with_uncovered(gathered, uncovered[place]), UNCOVERED
        moving = label_moving(gathered, self.clip.frames[frame], STRIDE, labelling)
        return moving if self.clip.ignored is None else moving & ~self.clip.ignored[frame]
