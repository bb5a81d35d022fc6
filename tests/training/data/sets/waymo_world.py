"""A known world as Waymo would drive through it: z up, things that turn about it alone, a vehicle with a camera."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from neoverse_ns.clip.synthetic.solids import Motion, Solid, rigid
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import so3_exp
from tests.training.data.sets.known_world import FRAMES, THINGS, KnownWorld, known_world
from tests.training.data.sets.seen_anew import seen_anew

FROM_OPENCV = torch.tensor([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], dtype=torch.float64)
"""Forward, left, up of right, down, forward."""


@dataclass(frozen=True)
class Drive:
    """What Waymo's records say.

    Attributes:
        world: In Waymo's axes.
        extrinsic: Camera to vehicle, camera axes forward, left and up.
        pictures: Vehicle to world when each picture was taken.
        sweeps: Vehicle to world at each sweep of the lidar.
        centres: Of the boxes in the vehicle's axes at the sweep.
        headings: Of the boxes, about the vehicle's up.
        sizes: Along, across and up.
    """

    world: KnownWorld
    extrinsic: Tensor
    pictures: Tensor
    sweeps: Tensor
    centres: Tensor
    headings: Tensor
    sizes: Tensor


@cache
def drive() -> Drive:
    world = _turned(_upright(known_world()))
    extrinsic = _pose((0.02, -0.03, 0.3), (1.5, 0.1, 2.1))
    cameras = world.clip.cameras.c2w
    pictures = torch.stack([cameras[i] @ torch.linalg.inv(extrinsic @ FROM_OPENCV) for i in range(FRAMES)])
    # The sweep is at another moment than the pictures: nothing may take one pose for the other.
    sweeps = torch.stack([_pose((0, 0, 0.1 * i), (0.7 * i + 100, 0.2 * i - 50, 0.05)) for i in range(FRAMES)])
    boxes = torch.stack(
        [
            torch.stack([torch.linalg.inv(sweeps[i]) @ world.pose(k, i) for k in range(1, THINGS + 1)])
            for i in range(FRAMES)
        ]
    )
    solids = {solid.thing: solid for solid in world.scene}
    # A thing's own axes are right, down, forward; its box has forward, left, up.
    halves = [solids[k].half for k in range(1, THINGS + 1)]
    sizes = torch.tensor([[2 * z, 2 * x, 2 * y] for x, y, z in halves], dtype=torch.float64).repeat(FRAMES, 1, 1)
    forward = boxes[..., :3, 2]
    return Drive(
        world, extrinsic, pictures, sweeps, boxes[..., :3, 3], torch.atan2(forward[..., 1], forward[..., 0]), sizes
    )


def _upright(world: KnownWorld) -> KnownWorld:
    """Things that turn about the vertical alone, off the ground."""
    scene = [replace(solid, pose=_level(solid)) if solid.thing else solid for solid in world.scene]
    return seen_anew(world, scene, world.clip.cameras)


def _level(solid: Solid) -> Motion:
    def pose(time: float) -> Tensor:
        old = solid.pose(time)
        x, y, z = old[:3, 3].tolist()
        return rigid((x, y - 0.2, z), yaw=math.atan2(float(old[0, 2]), float(old[2, 2])))

    return pose


def _turned(world: KnownWorld) -> KnownWorld:
    """The same world with z up, somewhere in a city."""
    change = FROM_OPENCV.clone()
    change[:3, 3] = torch.tensor([103.0, -48.0, 1.4])
    old = world.clip.cameras
    cameras = PinholeCameras(change @ old.c2w, old.K, old.width, old.height)
    scene = [replace(solid, pose=lambda time, own=solid.pose: change @ own(time)) for solid in world.scene]
    return KnownWorld(replace(world.clip, cameras=cameras), scene)


def _pose(turn: tuple[float, float, float], place: tuple[float, float, float]) -> Tensor:
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, :3] = so3_exp(torch.tensor(turn, dtype=torch.float64))
    pose[:3, 3] = torch.tensor(place, dtype=torch.float64)
    return pose
