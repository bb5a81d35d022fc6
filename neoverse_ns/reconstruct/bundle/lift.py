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
from neoverse_ns.geometry.projection import pixel_centres, project, unproject
from neoverse_ns.geometry.quaternions import from_matrix
from neoverse_ns.reconstruct.base import SceneGeometry


@dataclass
class LiftConfig:
    """How pixels become Gaussians: one per keyframe pixel."""

    footprint: float = 0.4
    """Standard deviation of a Gaussian, in units of its pixel's width at its depth."""
    opacity: float = 0.88
    """Opacity before refinement."""
    life_span: float = 0.9
    """Life span before refinement, in (0, 1): near 1 a Gaussian stays opaque until the neighbouring keyframe."""
    min_flow_confidence: float = 0.2
    """Below this confidence flow is not trusted: the pixel keeps still in the world, as a static surface does."""
    background: bool = True
    """Add a fused, constant background that fills what the keyframes' own Gaussians leave open in new views."""
    backdrop: bool = True
    """Add a soft backdrop behind everything, so that new views have no holes where no frame shows anything."""
    max_gaussians: int | None = None
    """Bound on the number of Gaussians; None keeps all. First pixels that look like their neighbours are merged, then
    background that several keyframes show is left out, then what is known least."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        for name in ("footprint", "opacity", "life_span", "min_flow_confidence"):
            value = getattr(self, name)
            upper = math.inf if name == "footprint" else 1.0
            if not (math.isfinite(value) and 0 < value < upper):
                raise SettingsError(f"lift.{name} must lie in (0, {upper:g}), got {value}")
        if self.max_gaussians is not None and self.max_gaussians < 1:
            raise SettingsError(f"lift.max_gaussians must be at least 1, or None, got {self.max_gaussians}")


@dataclass(frozen=True)
class KeyframeFlow:
    """Optical flow from one keyframe to a neighbouring one, at full resolution.

    Attributes:
        flow: Displacement in pixels, x then y.
        confidence: Trust in [0, 1].
    """

    flow: Float[Tensor, "h w 2"]
    confidence: Float[Tensor, "h w"]


def lift(
    clip: Clip, geometry: SceneGeometry, flows: dict[tuple[int, int], KeyframeFlow], config: LiftConfig
) -> DynamicGaussians:
    """One Gaussian per keyframe pixel, moving toward both neighbouring keyframes as the flow says.

    Args:
        clip: The frames; only the keyframes' pixels are read.
        geometry: Cameras, keyframe depth.
        flows: Flow between neighbouring keyframes, by sampled-frame positions (from, to); a missing pair is at rest.
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
        velocities = torch.zeros(*points.shape[:2], 2, 3)
        for side, other in enumerate((number + 1, number - 1)):
            if 0 <= other < len(keyframes) and (frame, keyframes[other]) in flows:
                flow = flows[frame, keyframes[other]]
                velocities[:, :, side] = displacement(geometry, other, points, flow, config.min_flow_confidence)
        image = clip.frames[frame].to(torch.float32) / 255
        parts.append(_frame_gaussians(geometry, number, points, velocities, image, interval, config))
    gaussians = concatenate(parts)
    if len(keyframes) == 1:
        gaussians = gaussians.with_(dynamic=torch.zeros(len(gaussians), dtype=torch.bool))
    return gaussians


def displacement(
    geometry: SceneGeometry,
    other: int,
    points: Float[Tensor, "h w 3"],
    flow: KeyframeFlow,
    min_confidence: float,
) -> Float[Tensor, "h w 3"]:
    """World displacement of a keyframe's pixels toward keyframe number `other`.

    The flow says where the pixel goes in the other image; the depth there is the one the point would have at rest,
    which flow cannot contradict along the line of sight. Where flow is not trusted or leaves the image the point rests.
    """
    camera = geometry.cameras[[geometry.keyframes[other]]]
    height, width = points.shape[:2]
    _, z = project(points.reshape(-1, 3), camera.viewmats[0], camera.K[0])
    z = z.reshape(height, width)
    target = pixel_centres(height, width) + flow.flow
    inside = _inside(target, height, width) & (z > 1e-3) & (flow.confidence >= min_confidence)
    K, c2w = camera.K[0], camera.c2w[0]
    rays = torch.stack(
        [(target[..., 0] - K[0, 2]) / K[0, 0], (target[..., 1] - K[1, 2]) / K[1, 1], torch.ones_like(z)], -1
    )
    there = (rays * z[..., None]) @ c2w[:3, :3].T + c2w[:3, 3]
    return torch.where(inside[..., None], there - points, torch.zeros_like(points))


def _inside(target: Float[Tensor, "h w 2"], height: int, width: int) -> Bool[Tensor, "h w"]:
    u, v = target.unbind(-1)
    return (u >= 0) & (u < width) & (v >= 0) & (v < height)


def _frame_gaussians(
    geometry: SceneGeometry,
    number: int,
    points: Float[Tensor, "h w 3"],
    velocities: Float[Tensor, "h w 2 3"],
    image: Float[Tensor, "h w 3"],
    interval: tuple[float, float, float],
    config: LiftConfig,
) -> DynamicGaussians:
    frame = geometry.keyframes[number]
    K = geometry.cameras.K[frame]
    count = points.shape[0] * points.shape[1]
    scales = config.footprint * geometry.depth[number].reshape(-1, 1) / torch.stack([K[0, 0], K[1, 1], K[0, 0]])
    quats = from_matrix(geometry.cameras.c2w[frame, :3, :3])
    return DynamicGaussians(
        means=points.reshape(-1, 3),
        quats=F.normalize(quats, dim=-1).expand(count, 4).contiguous(),
        log_scales=scales.log(),
        opacity_logits=torch.full((count,), math.log(config.opacity / (1 - config.opacity))),
        sh=((image.reshape(-1, 1, 3) - 0.5) / SH_C0),
        keyframe=torch.full((count,), number, dtype=torch.int64),
        interval=torch.tensor(interval).expand(count, 3).contiguous(),
        velocities=velocities.reshape(-1, 2, 3),
        angular_velocities=torch.zeros(count, 2, 3),
        life_span_logits=torch.full((count,), math.log(config.life_span / (1 - config.life_span))),
        dynamic=torch.ones(count, dtype=torch.bool),
    )
