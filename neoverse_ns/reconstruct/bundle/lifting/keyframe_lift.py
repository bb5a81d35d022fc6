"""From keyframe depth and optical flow to Gaussians that live between neighbouring keyframes."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.geometry.quaternions import from_matrix
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.angular_velocity import local_rotation
from neoverse_ns.reconstruct.bundle.lifting.lives import Flows, Lives, beside_motion, lives_between
from neoverse_ns.reconstruct.bundle.lifting.sharp_colours import sharp_colours


@dataclass
class LiftConfig:
    """How pixels become Gaussians: one per keyframe pixel."""

    footprint: float = 0.3
    """Standard deviation of a Gaussian, in units of its pixel's width at its depth. Smaller ones are drawn sharper, but
    leave gaps in closer and finer views: twice as fine, 0.3 leaves 23 % of a keyframe open, 0.25 30 % and 0.4 13 %."""
    moving_footprint: float = 0.4
    """The same for moving pixels, whose colours are not sharpened either: sharp things in a wrong place cost held-out
    frames up to 1 dB of what moves."""
    opacity: float = 0.95
    """Opacity before refinement."""
    sharpening: int = 4
    """Corrections of a keyframe's colours for the blur of drawing, each for one drawing of the keyframe; 0 takes the
    pixels' own colours. Four bring the keyframes of a walking clip from 28 to 38 dB."""
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
        unit = ("opacity", "life_span", "lost_life_span", "min_flow_confidence")
        for name in ("footprint", "moving_footprint", *unit):
            value = getattr(self, name)
            upper = 1.0 if name in unit else math.inf
            if not (math.isfinite(value) and 0 < value < upper):
                raise SettingsError(f"lift.{name} must lie in (0, {upper:g}), got {value}")
        if self.sharpening < 0:
            raise SettingsError(f"lift.sharpening must be 0 or a positive number, got {self.sharpening}")
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
    flows: Flows,
    config: LiftConfig,
    whole: Collection[int] | None = None,
) -> Lifted:
    """One Gaussian per keyframe pixel, moving toward both neighbouring keyframes as the flow says.

    What moves lives between the nearest keyframes, what rests between the `whole` ones.

    Args:
        clip: The frames; only the keyframes' pixels are read, and what they ignore becomes no Gaussian.
        geometry: Cameras, keyframe depth.
        flows: Flow between neighbouring keyframes, by sampled-frame positions (from, to); over a missing pair
            static pixels rest and moving ones keep the velocity of their other side.
        config: See :class:`LiftConfig`.
        whole: Keyframes all of whose pixels are lifted; of the others only what moves is. None: all.
    """
    frames = geometry.keyframes
    carriers = set(frames if whole is None else whole)
    everyone = list(range(len(frames)))
    order = [number for number in everyone if frames[number] in carriers]
    parts: list[DynamicGaussians] = []
    pixels: list[Bool[Tensor, "h w"]] = []
    for number, frame in enumerate(frames):
        points = unproject(geometry.depth[number], geometry.cameras.K[frame], geometry.cameras.c2w[frame])
        near = beside_motion(geometry.dynamic[number])
        lives = lives_between(clip, geometry, number, points, flows, everyone, config.min_flow_confidence)
        if frame not in carriers:
            lifted = near
        else:
            lifted = torch.ones_like(near)
            if len(order) < len(everyone):
                rest = lives_between(clip, geometry, number, points, flows, order, config.min_flow_confidence)
                lives = lives.where(near, rest)
        if clip.ignored is not None:
            lifted = lifted & ~clip.ignored[frame]
        image = clip.frames[frame].to(torch.float32) / 255
        gaussians = _frame_gaussians(geometry, number, points, lives, image, config)
        if frame in carriers:
            camera, time = geometry.cameras[[frame]], float(clip.times[frame])
            ignored = None if clip.ignored is None else clip.ignored[frame]
            moving = geometry.dynamic[number]
            sharp = sharp_colours(gaussians, image, camera, time, config.sharpening, moving, ignored)
            gaussians = gaussians.with_(sh=sharp)
        parts.append(gaussians if bool(lifted.all()) else gaussians[lifted.flatten()])
        pixels.append(lifted)
    gaussians = concatenate(parts)
    if len(frames) == 1:
        gaussians = gaussians.with_(dynamic=torch.zeros(len(gaussians), dtype=torch.bool))
    return Lifted(gaussians, torch.stack(pixels))


def _frame_gaussians(
    geometry: SceneGeometry,
    number: int,
    points: Float[Tensor, "h w 3"],
    lives: Lives,
    image: Float[Tensor, "h w 3"],
    config: LiftConfig,
) -> DynamicGaussians:
    frame = geometry.keyframes[number]
    K = geometry.cameras.K[frame]
    count = points.shape[0] * points.shape[1]
    moving = geometry.dynamic[number]
    footprint = torch.where(moving, config.moving_footprint, config.footprint) * geometry.depth[number]
    scales = footprint.reshape(-1, 1) / torch.stack([K[0, 0], K[1, 1], K[0, 0]])
    rotation = geometry.cameras.c2w[frame, :3, :3]
    # The Gaussians start in the camera's axes, and their turns act in their own.
    seen = (points - geometry.cameras.c2w[frame, :3, 3]) @ rotation
    turns = [local_rotation(seen, m.displacement @ rotation, m.trust, moving, float(K[0, 0])) for m in lives.motions]
    return DynamicGaussians(
        means=points.reshape(-1, 3),
        quats=F.normalize(from_matrix(rotation), dim=-1).expand(count, 4).contiguous(),
        log_scales=scales.log(),
        opacity_logits=torch.full((count,), math.log(config.opacity / (1 - config.opacity))),
        sh=((image.reshape(-1, 1, 3) - 0.5) / SH_C0),
        keyframe=torch.full((count,), number, dtype=torch.int64),
        interval=lives.interval.reshape(-1, 3).contiguous(),
        velocities=torch.stack([m.displacement for m in lives.motions], 2).reshape(-1, 2, 3),
        angular_velocities=torch.stack(turns, 2).reshape(-1, 2, 3),
        life_span_logits=torch.where(lives.lost, config.lost_life_span, config.life_span).logit().reshape(-1),
        dynamic=torch.ones(count, dtype=torch.bool),
    )
