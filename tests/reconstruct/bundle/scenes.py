"""Synthetic scenes with exact cameras: analytic flow for the solver, ray-cast images for the whole job."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations, observe
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField

H, W = 48, 64


def empty_observations(frames: int, gaps: tuple[int, ...] = (1, 2), stride: int = 8) -> Observations:
    """Full confidence, zero flow, both directions of every pair."""
    pairs = [(i, i + g) for g in gaps for i in range(frames - g)]
    pairs += [(j, i) for i, j in pairs]
    field = FlowField(
        {p: np.zeros((H, W, 2), np.float32) for p in pairs}, {p: np.ones((H, W), np.float32) for p in pairs}
    )
    return observe(field, frames, stride)


def random_state(frames: int, points: int, focal: float, seed: int, move: float = 0.15, turn: float = 0.06) -> State:
    """A walk with steps of about `move` median depths and `turn` radians past points of random depth."""
    generator = torch.Generator().manual_seed(seed)
    poses = [torch.eye(4, dtype=torch.float64)]
    for _ in range(frames - 1):
        twist = torch.randn(6, generator=generator, dtype=torch.float64)
        twist[:3] = twist[:3] * 0.3 + torch.tensor([0.8, 0.1, 0.5])
        poses.append(se3_exp(twist * torch.tensor([move] * 3 + [turn] * 3)) @ poses[-1])
    depth = 0.5 + torch.rand(frames, points, generator=generator, dtype=torch.float64)
    return State(torch.stack(poses), depth / depth.median(), torch.full((len(poses),), focal, dtype=torch.float64))


def with_seen(observations: Observations, state: State) -> Observations:
    """The same observations with exact positions, computed point by point with 4x4 matrices and roots of cubics."""
    seen = torch.empty_like(observations.seen)
    k = float(state.radial)
    for e, (i, j) in enumerate(zip(observations.source.tolist(), observations.target.tolist(), strict=True)):
        z = 1 / state.inverse_depth[i]
        position = observations.centred / state.focal[i]
        slope = position * (1 + k * position.square().sum(0))
        here = torch.stack([*(slope * z), z, torch.ones_like(z)])
        there = state.poses[j] @ torch.linalg.inv(state.poses[i]) @ here
        seen[e] = state.focal[j] * _bent(there[:2] / there[2], k) + observations.centre[:, None]
    values = {name: getattr(observations, name) for name in observations.__dataclass_fields__}
    return Observations(**{**values, "seen": seen})


def _bent(slopes: Tensor, k: float) -> Tensor:
    """Where a lens with slopes r (1 + k r^2) shows rays."""
    result = slopes.clone()
    for column in range(slopes.shape[1]) if k else ():
        length = float(slopes[:, column].norm())
        roots = np.roots([k, 0, 1, -length])
        radius = min(root.real for root in roots if abs(root.imag) < 1e-9 and root.real > 0)
        result[:, column] *= radius / length
    return result


def room_clip(
    c2w: Tensor, focal: float, height: int = 120, width: int = 192, mover: bool = False
) -> tuple[Clip, Tensor]:
    """Ray-cast a box-shaped room with random texture, and its exact z-depth [n,h,w].

    Args:
        c2w: Cameras inside the room, which spans x in [-2, 2], y in [-1.2, 1.2], z up to 5.
        focal: Over width.
        mover: Add a textured square in front of everything that slides across the image.
    """
    walls = _walls()
    y, x = np.mgrid[:height, :width] + 0.5
    rays = np.stack([(x - width / 2) / (focal * width), (y - height / 2) / (focal * width), np.ones_like(x)], -1)
    frames, depths = [], []
    for number, pose in enumerate(c2w.numpy()):
        image, depth = _render(rays @ pose[:3, :3].T, pose[:3, 3], walls)
        if mover:
            left = 20 + 6 * number
            patch = _texture(99)[: height // 3, : width // 5]
            image[height // 3 : height // 3 + patch.shape[0], left : left + patch.shape[1]] = patch
        frames.append(image)
        depths.append(depth)
    n = len(frames)
    clip = Clip(
        torch.from_numpy(np.stack(frames)), torch.arange(n), torch.arange(n, dtype=torch.float64) / 10, Path("room")
    )
    return clip, torch.from_numpy(np.stack(depths)).float()


def path(frames: int, move: float = 0.05, turn: float = 0.5) -> Tensor:
    """Cameras that move sideways and forward by `move` per frame and swing by `turn` degrees."""
    poses = []
    for k in range(frames):
        swing = np.radians(turn) * np.sin(k / 2) * 3
        twist = torch.tensor([0, 0, 0, 0.3 * swing, swing, 0.1 * swing], dtype=torch.float64)
        pose = se3_exp(twist)
        pose[:3, 3] = torch.tensor([move * k, 0.2 * move * np.sin(k), 0.5 * move * k], dtype=torch.float64)
        poses.append(pose)
    return torch.stack(poses)


def _texture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.zeros((512, 512, 3))
    for size in (8, 24, 64, 128):
        image += cv2.resize(rng.uniform(0, 1, (size, size, 3)), (512, 512), interpolation=cv2.INTER_CUBIC)
    return (np.clip(image / 4, 0, 1) * 255).astype(np.uint8)


def _walls() -> list[tuple[int, float, np.ndarray]]:
    """Axis, position and texture of each wall."""
    return [(0, -2.0, _texture(1)), (0, 2.0, _texture(2)), (1, -1.2, _texture(3)), (1, 1.2, _texture(4)),
            (2, 5.0, _texture(5))]  # fmt: skip


def _render(rays: np.ndarray, origin: np.ndarray, walls: list) -> tuple[np.ndarray, np.ndarray]:
    best = np.full(rays.shape[:2], np.inf)
    image = np.zeros((*rays.shape[:2], 3), np.uint8)
    for axis, place, texture in walls:
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (place - origin[axis]) / rays[..., axis]
        hit = (t > 1e-6) & (t < best)
        point = origin + rays * np.where(hit, t, 1.0)[..., None]
        u, v = (point[..., k].astype(np.float32) for k in range(3) if k != axis)
        colour = cv2.remap(texture, (u * 60 + 200) % 511, (v * 60 + 200) % 511, cv2.INTER_LINEAR)
        image[hit] = colour[hit]
        best = np.where(hit, t, best)
    return image, best
