"""Small worlds with moving things that any camera can look at, for layouts of data sets with known answers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.clip.synthetic.worlds.build import random_world
from neoverse_ns.clip.synthetic.worlds.render import NOTHING, View, WorldCamera
from neoverse_ns.clip.synthetic.worlds.world import World

Pose = Float64[Tensor, "4 4"]
Intrinsics = Float64[Tensor, "3 3"]

_SEEDS = (1, 6, 5, 0, 4)
"""Worlds with something that moves, and with cameras that do not stand still."""


@lru_cache(maxsize=2)
def _world(number: int) -> World:
    return random_world(_SEEDS[number % len(_SEEDS)])


def intrinsics(width: int, height: int) -> Intrinsics:
    """A lens whose axis does not meet the middle of the picture, and whose pixels are not quite square."""
    focal = 0.8 * max(width, height)
    K = torch.eye(3, dtype=torch.float64)
    K[0, 0], K[1, 1] = focal, focal * 1.01
    K[0, 2], K[1, 2] = 0.49 * width, 0.515 * height
    return K


def moving_poses(count: int, number: int = 0) -> list[Pose]:
    """Camera to world of a camera on its way through a world, one a frame."""
    return list(torch.from_numpy(_world(number).camera(np.linspace(0, 1, count))))


def standing_pose(place: int, number: int = 0) -> Pose:
    """Camera to world of one of twelve cameras that stand in two rows about the middle of that way."""
    pose = torch.from_numpy(_world(number).camera(np.array([0.5])))[0]
    beside, above = 0.12 * (place % 6 - 2.5), 0.15 * (place // 6 - 0.5)
    pose[:3, 3] += beside * pose[:3, 0] + above * pose[:3, 1]
    return pose


def picture(time: float, c2w: Pose, K: Intrinsics, size: tuple[int, int], number: int = 0, rays: int = 2) -> np.ndarray:
    """uint8 RGB [h,w,3] of a pinhole.

    Args:
        time: From 0 to 1.
        c2w: Camera to world.
        K: In pixels, centres at +0.5.
        size: Width and height.
        number: Of the world.
        rays: Per pixel along each axis.
    """
    camera = _camera(time, c2w, K, size, number)
    return camera.colour(camera.view(rays), rays).numpy()


def truth(
    time: float, c2w: Pose, K: Intrinsics, size: tuple[int, int], number: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """z-depth float32 [h,w] at pixel centres, 0 where nothing is; and where something moves, bool [h,w]."""
    return _truth(_camera(time, c2w, K, size, number).view(), number)


def picture_and_truth(
    time: float, c2w: Pose, K: Intrinsics, size: tuple[int, int], number: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As :func:`picture` with one ray a pixel, then as :func:`truth`; for less than both."""
    camera = _camera(time, c2w, K, size, number)
    view = camera.view()
    return (camera.colour(view).numpy(), *_truth(view, number))


def _truth(view: View, number: int) -> tuple[np.ndarray, np.ndarray]:
    moves = torch.tensor([part.thing > 0 for part in _world(number).parts])
    known = (view.part != NOTHING) & view.depth.isfinite()
    return torch.where(known, view.depth, 0).numpy(), (moves[view.part.clamp_min(0)] & known).numpy()


def _camera(time: float, c2w: Pose, K: Intrinsics, size: tuple[int, int], number: int) -> WorldCamera:
    poses = _world(number).poses(np.array([time]))[0]
    return WorldCamera(_world(number), poses, c2w.numpy(), K.numpy(), *size)
