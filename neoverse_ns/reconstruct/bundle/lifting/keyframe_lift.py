"""From keyframe depth and optical flow to Gaussians that live between neighbouring keyframes."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.geometry.projection import pixel_centres, unproject
from neoverse_ns.geometry.quaternions import from_matrix
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.angular_velocity import local_rotation
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow, Motion, Side, scene_flow

SEEN_AGAIN = -1.0
"""Share of a thing's trusted flow that must end on what moves for the thing to be there again."""


@dataclass
class LiftConfig:
    """How pixels become Gaussians: one per keyframe pixel."""

    footprint: float = 0.4
    """Standard deviation of a Gaussian, in units of its pixel's width at its depth."""
    opacity: float = 0.88
    """Opacity before refinement."""
    life_span: float = 0.9
    """Life span before refinement, in (0, 1): near 1 a Gaussian stays opaque until the neighbouring keyframe."""
    lost_life_span: float = 0.75
    """The same for moving pixels whose flow to a neighbouring keyframe is lost: their motion is a guess, so that they
    give way to the nearer keyframe halfway."""
    min_flow_confidence: float = 0.2
    """Below this confidence flow is not trusted: a static pixel keeps still in the world, a moving one moves like its
    region."""
    background: bool = True
    """Add a fused, constant background that fills what the keyframes' own Gaussians leave open in new views."""
    far_field: bool = True
    """Add a soft far field behind everything, so that new views have no holes where no frame shows anything."""
    max_gaussians: int | None = None
    """Bound on the number of Gaussians; None keeps all. First pixels that look like their neighbours are merged, then
    background that several keyframes show is left out, then what is known least."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        for name in ("footprint", "opacity", "life_span", "lost_life_span", "min_flow_confidence"):
            value = getattr(self, name)
            upper = math.inf if name == "footprint" else 1.0
            if not (math.isfinite(value) and 0 < value < upper):
                raise SettingsError(f"lift.{name} must lie in (0, {upper:g}), got {value}")
        if self.max_gaussians is not None and self.max_gaussians < 1:
            raise SettingsError(f"lift.max_gaussians must be at least 1, or None, got {self.max_gaussians}")


@dataclass(frozen=True)
class Lifted:
    """Gaussians of the keyframes' pixels.

    Attributes:
        gaussians: In the order of the pixels that have one, keyframe by keyframe.
        pixels: Which those are.
    """

    gaussians: DynamicGaussians
    pixels: Bool[Tensor, "k h w"]

    def rows(self, number: int, chosen: Bool[Tensor, "h w"]) -> Int64[Tensor, " m"]:
        """Rows of the chosen pixels of a keyframe, as far as they have one."""
        first = int(self.pixels[:number].sum())
        return first + (self.pixels[number].flatten().cumsum(0) - 1)[(chosen & self.pixels[number]).flatten()]


def lift(
    clip: Clip,
    geometry: SceneGeometry,
    flows: dict[tuple[int, int], KeyframeFlow],
    config: LiftConfig,
    whole: Collection[int] | None = None,
) -> Lifted:
    """One Gaussian per keyframe pixel, moving toward both neighbouring keyframes as the flow says.

    What moves lives between the nearest keyframes that show it, what rests between the `whole` ones.

    Args:
        clip: The frames; only the keyframes' pixels are read, and what they ignore becomes no Gaussian.
        geometry: Cameras, keyframe depth.
        flows: Flow between neighbouring keyframes, by sampled-frame positions (from, to); over a missing pair
            static pixels rest and moving ones keep the velocity of their other side.
        config: See :class:`LiftConfig`.
        whole: Keyframes all of whose pixels are lifted; of the others only what moves is. None: all.
    """
    frames = geometry.keyframes
    chosen = set(frames if whole is None else whole)
    order = [number for number, frame in enumerate(frames) if frame in chosen]
    parts, pixels = [], []
    for number, frame in enumerate(frames):
        points = unproject(geometry.depth[number], geometry.cameras.K[frame], geometry.cameras.c2w[frame])
        image = clip.frames[frame]
        nearest = _sides(clip, geometry, number, list(range(len(frames))), flows)
        near = _near_motion(geometry.dynamic[number])
        own = near if frame not in chosen else torch.ones_like(near)
        if clip.ignored is not None:
            own = own & ~clip.ignored[frame]
        motions = scene_flow(geometry, number, points, image, nearest, config.min_flow_confidence)
        interval = _interval(clip, geometry, number, nearest).expand(*points.shape[:2], 3)
        sides = nearest
        if frame in chosen:
            sides = _sides(clip, geometry, number, order, flows)
            if [side.other for side in sides] != [side.other for side in nearest]:
                far = scene_flow(geometry, number, points, image, sides, config.min_flow_confidence)
                seen = [near & (s.other is not None) for s in nearest]
                motions = tuple(_either(s, near, other) for s, near, other in zip(seen, motions, far, strict=True))
                lives = _interval(clip, geometry, number, sides)
                interval = torch.stack(
                    [
                        torch.where(seen[1], interval[..., 0], lives[0]),
                        interval[..., 1],
                        torch.where(seen[0], interval[..., 2], lives[2]),
                    ],
                    -1,
                )
        lost = _lost(geometry.dynamic[number], sides, motions)
        everything = _frame_gaussians(geometry, number, points, motions, lost, image, interval, config)
        parts.append(everything[own.flatten()])
        pixels.append(own)
    gaussians = concatenate(parts)
    if len(frames) == 1:
        gaussians = gaussians.with_(dynamic=torch.zeros(len(gaussians), dtype=torch.bool))
    return Lifted(gaussians, torch.stack(pixels))


def _sides(
    clip: Clip, geometry: SceneGeometry, number: int, order: list[int], flows: dict[tuple[int, int], KeyframeFlow]
) -> tuple[Side, Side]:
    """Toward the next and the previous of the keyframes `order`, by number."""
    times, frames = clip.times, geometry.keyframes
    place = order.index(number)
    t = float(times[frames[number]])
    after = order[place + 1] if place + 1 < len(order) else None
    before = order[place - 1] if place > 0 else None
    there = [None if other is None else float(times[frames[other]]) for other in (after, before)]
    sides = []
    for other, moment, opposite, sign in zip((after, before), there, there[::-1], (1, -1), strict=True):
        if other is not None and moment is not None:
            sides.append(Side(other, moment, abs(moment - t), flows.get((frames[number], frames[other]))))
            continue
        # At the clip's ends the interval is mirrored, so that it always has a length.
        gap = 1.0 if opposite is None else abs(opposite - t)
        sides.append(Side(None, t + sign * gap, gap, None))
    return sides[0], sides[1]


def _interval(clip: Clip, geometry: SceneGeometry, number: int, sides: tuple[Side, Side]) -> Float[Tensor, "3"]:
    return torch.tensor([sides[1].time, float(clip.times[geometry.keyframes[number]]), sides[0].time])


def _seen_again(geometry: SceneGeometry, number: int, side: Side, motion: Motion) -> Bool[Tensor, "h w"]:
    """Moving pixels of things that the neighbouring keyframe shows as moving, too: most of a thing's trusted flow ends
    on what moves."""
    moving = geometry.dynamic[number]
    if side.other is None or side.flow is None or not moving.any():
        return torch.zeros_like(moving)
    height, width = moving.shape
    target = (pixel_centres(height, width) + side.flow.flow).long()
    column, row = target[..., 0].clamp(0, width - 1), target[..., 1].clamp(0, height - 1)
    lands = motion.trust * geometry.dynamic[side.other][row, column]
    count, found = cv2.connectedComponents(moving.numpy().astype(np.uint8))
    labels = torch.from_numpy(found).long()
    all_of, again = (torch.bincount(labels.flatten(), v.flatten(), count) for v in (motion.trust, lands))
    return (again > SEEN_AGAIN * all_of - 1e-3)[labels] & moving


def _either(first: Bool[Tensor, "h w"], near: Motion, far: Motion) -> Motion:
    """`near` where `first` says so, else `far`."""
    return Motion(
        torch.where(first[..., None], near.displacement, far.displacement), torch.where(first, near.trust, far.trust)
    )


def _near_motion(moving):
    import os

    k = int(os.environ.get("NEAR", "15"))
    return torch.from_numpy(cv2.dilate(moving.numpy().astype(np.uint8), np.ones((k, k), np.uint8)) > 0)


def _lost(moving: Bool[Tensor, "h w"], sides: tuple[Side, Side], motions: tuple[Motion, Motion]) -> Bool[Tensor, "h w"]:
    """Moving pixels of which a measured flow is not trusted."""
    lost = torch.zeros_like(moving)
    for side, motion in zip(sides, motions, strict=True):
        if side.flow is not None:
            lost |= moving & (motion.trust == 0)
    return lost


def _frame_gaussians(
    geometry: SceneGeometry,
    number: int,
    points: Float[Tensor, "h w 3"],
    motions: tuple[Motion, Motion],
    lost: Bool[Tensor, "h w"],
    image: UInt8[Tensor, "h w 3"],
    interval: Float[Tensor, "h w 3"],
    config: LiftConfig,
) -> DynamicGaussians:
    frame = geometry.keyframes[number]
    K = geometry.cameras.K[frame]
    count = points.shape[0] * points.shape[1]
    scales = config.footprint * geometry.depth[number].reshape(-1, 1) / torch.stack([K[0, 0], K[1, 1], K[0, 0]])
    rotation = geometry.cameras.c2w[frame, :3, :3]
    # The Gaussians start in the camera's axes, and their turns act in their own.
    seen = (points - geometry.cameras.c2w[frame, :3, 3]) @ rotation
    turns = [
        local_rotation(seen, m.displacement @ rotation, m.trust, geometry.dynamic[number], float(K[0, 0]))
        for m in motions
    ]
    return DynamicGaussians(
        means=points.reshape(-1, 3),
        quats=F.normalize(from_matrix(rotation), dim=-1).expand(count, 4).contiguous(),
        log_scales=scales.log(),
        opacity_logits=torch.full((count,), math.log(config.opacity / (1 - config.opacity))),
        sh=((image.reshape(-1, 1, 3).to(torch.float32) / 255 - 0.5) / SH_C0),
        keyframe=torch.full((count,), number, dtype=torch.int64),
        interval=interval.reshape(-1, 3).contiguous(),
        velocities=torch.stack([m.displacement for m in motions], 2).reshape(-1, 2, 3),
        angular_velocities=torch.stack(turns, 2).reshape(-1, 2, 3),
        life_span_logits=torch.where(lost, config.lost_life_span, config.life_span).logit().reshape(-1),
        dynamic=torch.ones(count, dtype=torch.bool),
    )
