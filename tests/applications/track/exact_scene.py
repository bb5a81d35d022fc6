"""A small scene that is exactly right: every frame's pixels as Gaussians that move as their solids do."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.clip.synthetic.render import camera_rays, cast
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.solids import Solid
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import FrameSplit

COUNT, WIDTH, HEIGHT = 9, 128, 80
HELD_OUT = 3


def solids() -> list[Solid]:
    generator = torch.Generator().manual_seed(0)
    random_lattice(generator)
    return build_scene(generator)


def time_of(frame: int) -> float:
    return frame / (COUNT - 1)


@cache
def truth() -> SyntheticClip:
    return render_synthetic(COUNT, WIDTH, HEIGHT)


def hit(frame: int, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """World points (float64) and solids at the pixels of a frame, or at some of them, row by row."""
    origin, rays = camera_rays(truth().cameras[[frame]])
    rays = rays if rows is None else rays[rows]
    hits = cast(solids(), time_of(frame), origin, rays)
    return origin + rays * hits.depth[:, None], hits.solid


def moved(points: Tensor, solid: Tensor, frame: int, other: int) -> Tensor:
    """The same points of the same solids in another frame."""
    moves = [s.pose(time_of(other)) @ torch.linalg.inv(s.pose(time_of(frame))) for s in solids()]
    chosen = torch.stack(moves)[solid]
    return (chosen[:, :3, :3] @ points[..., None])[..., 0] + chosen[:, :3, 3]


def exact_scene() -> ExportScene:
    """All frames but one are keyframes; of that one nothing is known but its picture and its camera."""
    clip, synthetic = truth().as_clip(), truth()
    keyframes = [frame for frame in range(COUNT) if frame != HELD_OUT]
    cameras = PinholeCameras(synthetic.cameras.c2w.float(), synthetic.cameras.K.float(), WIDTH, HEIGHT)
    gaussians = concatenate([_of_frame(number, keyframes) for number in range(len(keyframes))])
    things = synthetic.things[keyframes].int()
    depth = synthetic.depth[keyframes]
    geometry = SceneGeometry(cameras, keyframes, depth, torch.ones_like(depth), things > 0, {}, things)
    held_out = synthetic.dynamic[[HELD_OUT]]
    split = FrameSplit(keyframes, [HELD_OUT], keyframes)
    source = Scene(clip, split, geometry, None, held_out)
    return ExportScene(LayeredGaussians({FRAMES: gaussians}), cameras, clip.times, clip.seconds, source=source)


def _of_frame(number: int, keyframes: list[int]) -> DynamicGaussians:
    frame = keyframes[number]
    points, solid = hit(frame)
    count = len(points)
    after = keyframes[number + 1] if number + 1 < len(keyframes) else frame + 1
    before = keyframes[number - 1] if number else frame - 1
    ways = [moved(points, solid, frame, min(max(other, 0), COUNT - 1)) - points for other in (after, before)]
    depth = truth().depth[frame].reshape(-1, 1)
    interval = torch.tensor([time_of(before), time_of(frame), time_of(after)])
    return DynamicGaussians(
        means=points.float(),
        quats=torch.tensor([1.0, 0, 0, 0]).repeat(count, 1),
        log_scales=(0.4 * depth / truth().cameras.K[0, 0, 0].float()).log().expand(count, 3).contiguous(),
        opacity_logits=torch.full((count,), 3.0),
        sh=(truth().frames[frame].reshape(-1, 1, 3) / 255 - 0.5) / SH_C0,
        keyframe=torch.full((count,), number),
        interval=interval.repeat(count, 1),
        velocities=torch.stack(ways, 1).float(),
        angular_velocities=torch.zeros(count, 2, 3),
        life_span_logits=torch.full((count,), 2.0),
        dynamic=torch.ones(count, dtype=torch.bool),
    )
