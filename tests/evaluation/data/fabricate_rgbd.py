"""Recordings as TUM, Bonn, ScanNet and KITTI's depth set lay them out, with known answers and pictures of noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float64
from scipy.spatial.transform import Rotation
from torch import Tensor

from tests.evaluation.data import fabricate_world as world

SIZE = (64, 48)
START = 1305031102.1


@dataclass
class Recording:
    """What was written.

    Attributes:
        folder: Of the recording.
        c2w: Of every picture.
        rgb: uint8 [h, w, 3] of every picture.
        depth: Metres, 0 where unknown.
        names: Of the pictures, in order.
    """

    folder: Path
    c2w: list[Float64[Tensor, "4 4"]]
    rgb: list[np.ndarray] = field(default_factory=list)
    depth: list[np.ndarray] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def noise(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """uint8 [h, w, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)


def depths(seed: int, units: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Metres that the units of a depth picture can tell, a tenth of them unknown."""
    random = np.random.default_rng(seed)
    values = random.integers(200, 60000, (size[1], size[0])) * (random.random((size[1], size[0])) > 0.1)
    return (values / units).astype(np.float32)


def save_picture(path: Path, rgb: np.ndarray) -> None:
    """Write a picture without loss, in a folder that need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), rgb[..., ::-1] if rgb.ndim == 3 else rgb)


def save_depth(path: Path, metres: np.ndarray, units: float) -> None:
    """Write a depth picture of 16 bits."""
    save_picture(path, (metres.astype(np.float64) * units).round().astype(np.uint16))


def pose_line(c2w: Tensor) -> str:
    """tx ty tz qx qy qz qw."""
    values = [*c2w[:3, 3].tolist(), *Rotation.from_matrix(c2w[:3, :3].numpy()).as_quat()]
    return " ".join(f"{value:.9f}" for value in values)


def write_tum(
    folder: Path,
    name: str = "rgbd_dataset_freiburg3_walking_xyz",
    frames: int = 6,
    pose_offset: float = 0.003,
    depth_offset: float = 0.007,
    size: tuple[int, int] = SIZE,
) -> Recording:
    """A recording at 30 Hz whose poses and depth pictures come some time after their pictures.

    Args:
        folder: Of the data set.
        name: Of the recording.
        frames: Pictures.
        pose_offset: Seconds from a picture to its pose.
        depth_offset: Seconds from a picture to its depth.
        size: Width and height.
    """
    made = Recording(folder / name, world.moving_poses(frames))
    rgb, depth, poses = ["# color images"], ["# depth maps"], ["# ground truth trajectory", "# timestamp tx ty tz"]
    for number in range(frames):
        time = START + number / 30
        made.names.append(f"rgb/{time:.6f}.png")
        made.rgb.append(noise(number, size))
        made.depth.append(depths(number, 5000.0, size))
        save_picture(made.folder / made.names[-1], made.rgb[-1])
        save_depth(made.folder / f"depth/{time + depth_offset:.6f}.png", made.depth[-1], 5000.0)
        rgb.append(f"{time:.6f} {made.names[-1]}")
        depth.append(f"{time + depth_offset:.6f} depth/{time + depth_offset:.6f}.png")
        poses.append(f"{time + pose_offset:.6f} {pose_line(made.c2w[number])}")
    for file, lines in (("rgb", rgb), ("depth", depth), ("groundtruth", poses)):
        (made.folder / f"{file}.txt").write_text("\n".join(lines) + "\n")
    return made


def write_scannet(folder: Path, frames: int = 6, lost: tuple[int, ...] = ()) -> Recording:
    """Colour of 64x48 and depth of 32x24 from one place; poses of some frames lost."""
    made = Recording(folder / "scene0000_00", world.moving_poses(frames))
    K = torch.eye(4, dtype=torch.float64)
    for kind, size in (("color", SIZE), ("depth", (32, 24))):
        K[:3, :3] = world.intrinsics(*size)
        _matrix(made.folder / f"intrinsic/intrinsic_{kind}.txt", K)
    for number in range(frames):
        made.names.append(f"color/{number}.png")
        made.rgb.append(noise(number))
        made.depth.append(depths(number, 1000.0, (32, 24)))
        save_picture(made.folder / made.names[-1], made.rgb[-1])
        save_depth(made.folder / f"depth/{number}.png", made.depth[-1], 1000.0)
        pose = torch.full((4, 4), -torch.inf, dtype=torch.float64) if number in lost else made.c2w[number]
        _matrix(made.folder / f"pose/{number}.txt", pose)
    return made


def write_kitti_depth(folder: Path, gathered: bool, drives: int = 2, frames: int = 5) -> list[Recording]:
    """Drives of which frames 5 and later have depth, as in the set."""
    found = []
    for drive in range(drives):
        name = f"2011_09_26_drive_{drive:04d}_sync"
        made = Recording(folder / name, [])
        if gathered:
            base = folder / "depth_selection/val_selection_cropped"
            depth, pictures = (base / kind / f"{name}_02" for kind in ("groundtruth_depth_gathered", "image_gathered"))
        else:
            depth = folder / "val" / name / "proj_depth/groundtruth/image_02"
            pictures = folder / "raw" / name / "image_02/data"
        for number in range(5, 5 + frames):
            made.rgb.append(noise(number))
            made.depth.append(depths(number, 256.0))
            made.names.append((pictures / f"{number:010d}.png").relative_to(folder).as_posix())
            save_picture(folder / made.names[-1], made.rgb[-1])
            save_depth(depth / f"{number:010d}.png", made.depth[-1], 256.0)
        found.append(made)
    rows = {"S_rect_02": SIZE, "P_rect_02": (70.5, 0, 31.2, 4.5, 0, 71.5, 23.1, 0.2, 0, 0, 1, 0.003)}
    text = "calib_time: 09-Jan-2012 13:57:47\n"
    text += "".join(f"{name}: {' '.join(map(str, values))}\n" for name, values in rows.items())
    (folder / "calib_cam_to_cam.txt").write_text(text)
    return found


def _matrix(path: Path, matrix: Tensor) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(" ".join(f"{value:.9f}" for value in row) for row in matrix.tolist()) + "\n")
