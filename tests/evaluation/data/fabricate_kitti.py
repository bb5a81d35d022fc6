"""KITTI odometry's layout: a grey pair and a colour pair of cameras on a driving car."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from tests.evaluation.data import fabricate_world as world
from tests.evaluation.data.fabricate_rgbd import save_picture

SIZE = (62, 20)
CENTRES = {0: (0.0, 0.0, 0.0), 1: (0.537, 0.0, 0.0), 2: (-0.06, -0.002, 0.003), 3: (0.47, 0.002, 0.004)}
"""Of every camera, in the first one's axes, metres."""


@dataclass
class Drive:
    """What was written: intrinsics of all cameras, and where each stood at every time."""

    root: Path
    K: Float64[Tensor, "3 3"]
    c2w: dict[int, list[Float64[Tensor, "4 4"]]] = field(default_factory=dict)


def write_kitti(
    folder: Path,
    name: str = "07",
    frames: int = 4,
    cameras: tuple[int, ...] = (0, 1, 2, 3),
    poses: bool = True,
    drawn: bool = True,
) -> Drive:
    """One sequence; its pictures are grey renderings of a world, or, not drawn, black."""
    made = Drive(folder, world.intrinsics(*SIZE))
    first = world.moving_poses(frames)
    place = folder / "sequences" / name
    lines = []
    for camera, centre in CENTRES.items():
        t = -np.array(centre)
        P = made.K.numpy() @ np.column_stack([np.eye(3), t])
        lines.append(f"P{camera}: " + " ".join(f"{value:.12e}" for value in P.ravel()))
        offset = torch.eye(4, dtype=torch.float64)
        offset[:3, 3] = torch.tensor(centre, dtype=torch.float64)
        made.c2w[camera] = [pose @ offset for pose in first]
        if camera in cameras:
            for number, c2w in enumerate(made.c2w[camera]):
                rgb = np.zeros((SIZE[1], SIZE[0], 3))
                if drawn:
                    rgb = world.picture(number / max(frames - 1, 1), c2w, made.K, SIZE, rays=1)
                save_picture(place / f"image_{camera}/{number:06d}.png", rgb.mean(-1).astype(np.uint8))
    (place / "calib.txt").write_text("\n".join(lines) + "\nTr: " + " ".join(["0"] * 12) + "\n")
    (place / "times.txt").write_text("".join(f"{0.1037 * number:.6e}\n" for number in range(frames)))
    if poses:
        (folder / "poses").mkdir(exist_ok=True)
        rows = [" ".join(f"{value:.12e}" for value in pose[:3].ravel().tolist()) for pose in first]
        (folder / "poses" / f"{name}.txt").write_text("\n".join(rows) + "\n")
    return made
