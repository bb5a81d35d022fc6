"""The synthetic courtyard as a perfect reconstruction of it would be: exact cameras, depth and masks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.synthetic.render import render_colour, render_truth
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import split_frames

WIDTH, HEIGHT, COUNT = 96, 56, 9
UNIT = 0.15
"""Length of the reconstruction's world that is one of the truth's."""


@dataclass(frozen=True)
class Courtyard:
    """A clip, its scene, and what is true of it.

    Attributes:
        scene: Every frame is a keyframe with a Gaussian per pixel.
        frames: What was filmed.
        large: The same in twice as many pixels; `frames` are means over its pixels.
        empty: What would have been filmed without the things that move.
        covered: Where they are seen.
    """

    scene: ExportScene
    frames: UInt8[Tensor, "n h w 3"]
    large: UInt8[Tensor, "n gh gw 3"]
    empty: UInt8[Tensor, "n h w 3"]
    covered: Bool[Tensor, "n h w"]


@cache
def courtyard(count: int = COUNT) -> Courtyard:
    """Rendered once; takes a few seconds."""
    generator = torch.Generator().manual_seed(0)
    lattice = random_lattice(generator)
    solids = build_scene(generator)
    cameras = camera_path(count, WIDTH, HEIGHT, generator)
    # A tenth of the path: at this size neighbouring frames of all of it would share little.
    c2w = cameras.c2w.clone()
    c2w[:, :3, 3] = c2w[:1, :3, 3] + 0.1 * (c2w[:, :3, 3] - c2w[:1, :3, 3])
    cameras = replace(cameras, c2w=c2w)
    K = cameras.K.clone()
    K[:, :2] *= 2
    twice = PinholeCameras(c2w, K, 2 * WIDTH, 2 * HEIGHT)
    still = [solid for solid in solids if not solid.thing]
    times = [i / (count - 1) for i in range(count)]
    large = torch.stack([render_colour(solids, lattice, time, twice[[i]]) for i, time in enumerate(times)])
    empty = _mean(torch.stack([render_colour(still, lattice, time, twice[[i]]) for i, time in enumerate(times)]))
    truth = [render_truth(solids, time, cameras[[i]]) for i, time in enumerate(times)]
    depth, things = torch.stack([t[0] for t in truth]), torch.stack([t[1] for t in truth])
    frames = _mean(large)
    return Courtyard(_scene(frames, cameras, depth, things > 0), frames, large, empty, things > 0)


def _mean(large: UInt8[Tensor, "n gh gw 3"]) -> UInt8[Tensor, "n h w 3"]:
    """Every pixel the mean of four."""
    n, height, width, _ = large.shape
    return large.view(n, height // 2, 2, width // 2, 2, 3).float().mean(dim=(2, 4)).round().to(torch.uint8)


def _scene(frames: Tensor, cameras: PinholeCameras, depth: Tensor, moving: Tensor) -> ExportScene:
    count = len(frames)
    seconds = torch.arange(count, dtype=torch.float64) / 8
    clip = Clip(frames, torch.arange(count), seconds, Path("courtyard.mp4"))
    c2w = torch.linalg.inv(cameras.c2w[0]) @ cameras.c2w
    c2w[:, :3, 3] *= UNIT
    found = PinholeCameras(c2w.float(), cameras.K.float(), cameras.width, cameras.height)
    depth = UNIT * depth
    split = split_frames(count, count, 0)
    geometry = SceneGeometry(found, split.keyframes, depth, torch.ones_like(depth), moving)
    parts = [_lifted(number, frames, found, depth, clip.times) for number in range(count)]
    gaussians = LayeredGaussians({FRAMES: concatenate(parts)})
    nothing = torch.zeros(0, *depth.shape[1:], dtype=torch.bool)
    scene = Scene(clip, split, geometry, gaussians, nothing)
    return ExportScene(gaussians, found, clip.times, seconds, source=scene)


def _lifted(number: int, frames: Tensor, cameras: PinholeCameras, depth: Tensor, times: Tensor) -> DynamicGaussians:
    """One opaque Gaussian of a pixel's size per pixel of a frame, which rests where it is."""
    points = unproject(depth[number], cameras.K[number], cameras.c2w[number]).reshape(-1, 3)
    count, gap, at = len(points), 1 / (len(frames) - 1), float(times[number])
    size = 0.5 * depth[number].reshape(-1, 1) / cameras.K[number, 0, 0]
    return DynamicGaussians(
        means=points,
        quats=torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(count, 1),
        log_scales=size.log().repeat(1, 3),
        opacity_logits=torch.full((count,), 5.0),
        sh=((frames[number].reshape(-1, 1, 3).float() / 255 - 0.5) / SH_C0),
        keyframe=torch.full((count,), number),
        interval=torch.tensor([at - gap, at, at + gap]).repeat(count, 1),
        velocities=torch.zeros(count, 2, 3),
        angular_velocities=torch.zeros(count, 2, 3),
        life_span_logits=torch.full((count,), 5.0),
        dynamic=torch.ones(count, dtype=torch.bool),
    )
