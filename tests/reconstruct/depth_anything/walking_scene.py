"""Someone who walks past, filmed four times as often as the clip is sampled, with all there is to know about it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.synthetic import SyntheticClip
from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.synthetic.render import camera_rays, cast, render_colour, render_truth
from neoverse_ns.clip.synthetic.scene import GROUND, build_scene
from neoverse_ns.clip.synthetic.solids import Motion, Solid, Vector, rigid
from neoverse_ns.clip.synthetic.textures import Texture, random_lattice
from neoverse_ns.clip.tracking_frames import TrackingFrames
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project

WIDTH, HEIGHT = 256, 144
SAMPLED, EVERY = 9, 4
"""Frames of the clip, and how many frames of the source there are for each."""
WAY, STEPS = 2.4, 1.8
"""Length of the walk in scene units, and how often its legs swing forward and back."""


def _walker() -> list[Solid]:
    """A body and two legs that swing from the hip against each other."""

    def part(half: Vector, pose: Motion, dark: Vector, light: Vector) -> Solid:
        return Solid("box", half, Texture(dark, light, 3.0, cells=6.0), pose, 1)

    def hip(time: float) -> Vector:
        return (-1.3 + WAY * time, GROUND - 0.8, 3.0)

    def leg(side: float) -> Motion:
        def pose(time: float) -> Tensor:
            swing = side * 0.55 * math.sin(2 * math.pi * STEPS * time)
            x, y, z = hip(time)
            turned = rigid((x, y, z + 0.1 * side), yaw=math.pi / 2, pitch=swing)
            return turned @ rigid((0.0, 0.4, 0.0))

        return pose

    def body(time: float) -> Tensor:
        x, y, z = hip(time)
        return rigid((x, y - 0.4, z), yaw=math.pi / 2)

    return [
        part((0.2, 0.4, 0.22), body, (0.35, 0.05, 0.05), (1.0, 0.75, 0.3)),
        part((0.08, 0.4, 0.11), leg(1.0), (0.05, 0.1, 0.3), (0.6, 0.9, 1.0)),
        part((0.08, 0.4, 0.11), leg(-1.0), (0.05, 0.25, 0.1), (0.7, 1.0, 0.6)),
    ]


@dataclass(frozen=True)
class Walk:
    """The clip, and where everything is.

    Attributes:
        truth: The sampled frames; their flow and what a second camera would see are left out.
        clip: The same with the frames between them.
        world: What was filmed.
    """

    truth: SyntheticClip
    clip: Clip
    world: list[Solid]

    def seen_from(self, frame: int, other: int) -> tuple[Tensor, Tensor]:
        """Where what the pixels of a frame show is in the image of another one [h,w,2], and which pixels move."""
        here, there = self.truth.cameras[[frame]], self.truth.cameras[[other]]
        origin, rays = camera_rays(here)
        moments = [place / (SAMPLED - 1) for place in (frame, other)]
        hits = cast(self.world, moments[0], origin, rays)
        before, after = (torch.stack([solid.pose(t) for solid in self.world]) for t in moments)
        moves = (after @ torch.linalg.inv(before))[hits.solid]
        points = origin + rays * hits.depth[:, None]
        points = (moves[:, :3, :3] @ points[..., None])[..., 0] + moves[:, :3, 3]
        seen, _ = project(points, there.viewmats[0], there.K[0])
        return seen.reshape(HEIGHT, WIDTH, 2), self.truth.dynamic[frame]


def film_walk() -> Walk:
    """Film the walk through a court that is still."""
    random = torch.Generator().manual_seed(0)
    lattice = random_lattice(random)
    world = build_scene(random)[:5] + _walker()
    count = EVERY * (SAMPLED - 1) + 1
    path = camera_path(2 * count, WIDTH, HEIGHT, random)
    cameras = PinholeCameras(path.c2w[count // 2 :][:count], path.K[:count], WIDTH, HEIGHT)
    times = [place / (count - 1) for place in range(count)]
    pictures = torch.stack([render_colour(world, lattice, t, cameras[[n]]) for n, t in enumerate(times)])
    sampled = list(range(0, count, EVERY))
    depth, things = zip(*(render_truth(world, times[n], cameras[[n]]) for n in sampled), strict=True)
    seconds = torch.arange(count, dtype=torch.float64) / 30
    seen = pictures[sampled]
    truth = SyntheticClip(
        frames=seen,
        cameras=cameras[sampled],
        depth=torch.stack(depth),
        things=torch.stack(things),
        flow=torch.zeros(SAMPLED - 1, HEIGHT, WIDTH, 2),
        right_frames=torch.zeros_like(seen),
        right_cameras=cameras[sampled],
        right_things=torch.zeros(seen.shape[:3], dtype=torch.uint8),
        seconds=seconds[sampled],
    )
    between = [n for n in range(count) if n % EVERY]
    grey = np.stack([cv2.cvtColor(pictures[n].numpy(), cv2.COLOR_RGB2GRAY) for n in between])
    tracking = TrackingFrames(torch.from_numpy(grey), seconds[between], torch.tensor(between))
    clip = dataclasses.replace(truth.as_clip(), frame_indices=torch.tensor(sampled), tracking=tracking)
    return Walk(truth, clip, world)
