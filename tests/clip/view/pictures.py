"""Pictures made from functions of the direction, and of two eyes, so that every view of them is known."""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

Rays = Float64[np.ndarray, "*shape 3"]


def colours_seen(rays: Rays, seed: int = 0) -> UInt8[np.ndarray, "*shape 3"]:
    """A smooth world at infinity: waves over the sphere, x to the right, y up, z ahead."""
    rng = np.random.default_rng(seed)
    unit = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    value = np.zeros((*unit.shape[:-1], 3))
    for _ in range(12):
        wave = rng.normal(size=3) * rng.uniform(2, 8)
        value += np.sin(unit @ wave + rng.uniform(0, 6))[..., None] * rng.normal(size=3)
    return np.clip(128 + 22 * value, 0, 255).astype(np.uint8)


def panorama(
    width: int, across: float = 360.0, down: float = 180.0, yaw: float = 0.0, seed: int = 0
) -> UInt8[np.ndarray, "h w 3"]:
    """Equirectangular picture of that world; the middle looks `yaw` degrees to the right."""
    height = round(width * down / across)
    longitude = np.radians(across * ((np.arange(width) + 0.5) / width - 0.5) + yaw)
    latitude = np.radians(down * (0.5 - (np.arange(height)[:, None] + 0.5) / height))
    rays = np.stack(
        np.broadcast_arrays(
            np.cos(latitude) * np.sin(longitude), np.sin(latitude), np.cos(latitude) * np.cos(longitude)
        ),
        axis=-1,
    )
    return colours_seen(rays, seed)


def pinhole(
    size: tuple[int, int], fov: float, yaw: float = 0.0, pitch: float = 0.0, seed: int = 0
) -> UInt8[np.ndarray, "h w 3"]:
    """What a pinhole camera sees of it, by rotation matrices: nodded up by `pitch`, then turned right by `yaw`."""
    width, height = size
    focal = width / 2 / math.tan(math.radians(fov) / 2)
    x, y = np.meshgrid(np.arange(width) + 0.5 - width / 2, height / 2 - np.arange(height) - 0.5)
    p, t = math.radians(pitch), math.radians(yaw)
    nod = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    turn = np.array([[math.cos(t), 0, math.sin(t)], [0, 1, 0], [-math.sin(t), 0, math.cos(t)]])
    rays = np.stack([x, y, np.full_like(x, focal)], axis=-1)
    return colours_seen(rays @ (turn @ nod).T, seed)


def eyes(size: tuple[int, int], shift: int = 3, seed: int = 0) -> list[UInt8[np.ndarray, "h w 3"]]:
    """A textured scene as the left and the right eye see it: lower, nearer lines are up to `shift` pixels apart."""
    width, height = size
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 12 + 2, width // 12 + 3, 3)).astype(np.uint8)
    base = cv2.resize(coarse, (width + 8, height), interpolation=cv2.INTER_CUBIC)
    rows = (np.arange(height) * (shift + 1) // height)[:, None]
    columns = np.arange(width)[None] + 4
    lines = np.arange(height)[:, None]
    return [base[lines, columns], base[lines, columns + rows]]
