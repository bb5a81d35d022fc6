"""Sintel's layout written byte by byte: a plane before a moving camera, and a patch of it that moves by itself."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from torch import Tensor

from tests.evaluation.data import fabricate_world as world
from tests.evaluation.data.fabricate_rgbd import noise, save_picture

SIZE = (64, 28)
TAG = struct.pack("<f", 202021.25)
PATCH = (slice(10, 16), slice(20, 30))
"""Rows and columns that move by themselves."""


@dataclass
class Sequence:
    """What was written of a sequence: cameras, intrinsics as in the files, depth, and flow of what stands still."""

    root: Path
    K: np.ndarray
    c2w: list[Float64[Tensor, "4 4"]]
    rgb: list[np.ndarray] = field(default_factory=list)
    depth: list[np.ndarray] = field(default_factory=list)


def write_sintel(folder: Path, names: tuple[str, ...] = ("alley_2",), frames: int = 4) -> list[Sequence]:
    """The training set with sequences of some names, all with the same cameras."""
    return [_write(folder / "training", name, frames) for name in names]


def _write(root: Path, name: str, frames: int) -> Sequence:
    # As in the set, the principal point is the middle, counted by whole numbers at pixel centres.
    K = np.array([[70.0, 0, (SIZE[0] - 1) / 2], [0, 70.0, (SIZE[1] - 1) / 2], [0, 0, 1]])
    made = Sequence(root, K, world.moving_poses(frames))
    for number in range(frames):
        stem = f"frame_{number + 1:04d}"
        made.rgb.append(noise(number, SIZE))
        save_picture(root / f"final/{name}/{stem}.png", made.rgb[-1])
        w2c = np.linalg.inv(made.c2w[number].numpy())[:3]
        _bytes(root / f"camdata_left/{name}/{stem}.cam", TAG + struct.pack("<21d", *K.ravel(), *w2c.ravel()))
        depth = np.fromfunction(lambda y, x: 4 + 0.02 * x + 0.01 * y, SIZE[::-1]).astype("<f4")
        made.depth.append(depth)
        header = TAG + struct.pack("<2i", *SIZE)
        _bytes(root / f"depth/{name}/{stem}.dpt", header + depth.tobytes())
        if number + 1 < frames:
            flow = still_flow(depth, K, made.c2w[number].numpy(), made.c2w[number + 1].numpy())
            flow[PATCH] += (9.0, -12.0)
            _bytes(root / f"flow/{name}/{stem}.flo", header + flow.astype("<f4").tobytes())
    return made


def still_flow(depth: np.ndarray, K: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Flow [h, w, 2] of what stands still, pixel by pixel."""
    flow = np.zeros((*depth.shape, 2))
    for y in range(depth.shape[0]):
        for x in range(depth.shape[1]):
            point = one @ np.append(np.linalg.solve(K, [x, y, 1.0]) * depth[y, x], 1)
            seen = K @ np.linalg.solve(other, point)[:3]
            flow[y, x] = seen[:2] / seen[2] - (x, y)
    return flow


def _bytes(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
