"""From keyframe depth and optical flow to Gaussians that live between neighbouring keyframes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.geometry.quaternions import from_matrix
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.angular_velocity import local_rotation
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow, Motion, Side, scene_flow
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


def lift(
    clip: Clip, geometry: SceneGeometry, flows: dict[tuple[int, int], KeyframeFlow], config: LiftConfig
) -> DynamicGaussians:
    """One Gaussian per keyframe pixel, moving toward both neighbouring keyframes as the flow says.

    Args:
        clip: The frames; only the keyframes' pixels are read.
        geometry: Cameras, keyframe depth.
        flows: Flow between neighbouring keyframes, by sampled-frame positions (from, to); over a missing pair
            static pixels rest and moving ones keep the velocity of their other side.
        config: See :class:`LiftConfig`.
    """
    times = clip.times
    keyframes = geometry.keyframes
    parts = []
    for number, frame in enumerate(keyframes):
        t = float(times[frame])
        t_next = float(times[keyframes[number + 1]]) if number + 1 < len(keyframes) else None
        t_prev = float(times[keyframes[number - 1]]) if number > 0 else None
        # At the clip's ends the interval is mirrored, so that it always has a length.
        gap = (t_next - t) if t_next is not None else (t - t_prev if t_prev is not None else 1.0)
        interval = (t_prev if t_prev is not None else t - gap, t, t_next if t_next is not None else t + gap)
        points = unproject(geometry.depth[number], geometry.cameras.K[frame], geometry.cameras.c2w[frame])
        sides = (
            _side(geometry, number, number + 1, interval[2] - t, flows),
            _side(geometry, number, number - 1, t - interval[0], flows),
        )
        motions = scene_flow(geometry, number, points, clip.frames[frame], sides, config.min_flow_confidence)
        image = clip.frames[frame].to(torch.float32) / 255
        lifted = _frame_gaussians(geometry, number, points, sides, motions, image, interval, config)
        ignored = None if clip.ignored is None else clip.ignored[frame]
        camera, moving = geometry.cameras[[frame]], geometry.dynamic[number]
        parts.append(lifted.with_(sh=sharp_colours(lifted, image, camera, t, config.sharpening, moving, ignored)))
    gaussians = concatenate(parts)
    if len(keyframes) == 1:
        gaussians = gaussians.with_(dynamic=torch.zeros(len(gaussians), dtype=torch.bool))
    return gaussians


def _side(
    geometry: SceneGeometry, number: int, other: int, gap: float, flows: dict[tuple[int, int], KeyframeFlow]
) -> Side:
    keyframes = geometry.keyframes
    there = 0 <= other < len(keyframes)
    return Side(other, gap, flows.get((keyframes[number], keyframes[other])) if there else None)


def _frame_gaussians(
    geometry: SceneGeometry,
    number: int,
    points: Float[Tensor, "h w 3"],
    sides: tuple[Side, Side],
    motions: tuple[Motion, Motion],
    image: Float[Tensor, "h w 3"],
    interval: tuple[float, float, float],
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
    turns = [local_rotation(seen, m.displacement @ rotation, m.trust, moving, float(K[0, 0])) for m in motions]
    return DynamicGaussians(
        means=points.reshape(-1, 3),
        quats=F.normalize(from_matrix(rotation), dim=-1).expand(count, 4).contiguous(),
        log_scales=scales.log(),
        opacity_logits=torch.full((count,), math.log(config.opacity / (1 - config.opacity))),
        sh=((image.reshape(-1, 1, 3) - 0.5) / SH_C0),
        keyframe=torch.full((count,), number, dtype=torch.int64),
        interval=torch.tensor(interval).expand(count, 3).contiguous(),
        velocities=torch.stack([m.displacement for m in motions], 2).reshape(-1, 2, 3),
        angular_velocities=torch.stack(turns, 2).reshape(-1, 2, 3),
        life_span_logits=_life_spans(moving, sides, motions, config).logit().reshape(-1),
        dynamic=torch.ones(count, dtype=torch.bool),
    )


def _life_spans(
    moving: Bool[Tensor, "h w"],
    sides: tuple[Side, Side],
    motions: tuple[Motion, Motion],
    config: LiftConfig,
) -> Float[Tensor, "h w"]:
    """Shorter for moving pixels of which a measured flow is not trusted."""
    lost = torch.zeros_like(moving)
    for side, motion in zip(sides, motions, strict=True):
        if side.flow is not None:
            lost |= moving & (motion.trust == 0)
    return torch.where(lost, config.lost_life_span, config.life_span)
