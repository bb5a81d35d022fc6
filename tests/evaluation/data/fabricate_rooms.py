"""EyefulTower's and ScanNet++'s layouts: cameras with lenses, matrices stored as the sets store them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from tests.evaluation.data import fabricate_world as world
from tests.evaluation.data.fabricate_rgbd import save_picture

FULL, SMALL = (340, 510), (40, 60)
"""Pictures that the intrinsics of EyefulTower are for, and those that are read."""

BROWN = (-0.2, 0.03, 0.006, -0.004, 0.003)
"""k1, k2, p1, p2, k3."""

FISHEYE = (0.03, -0.01, 0.004, -0.001)
DSLR = (60, 40)
FISHEYE_K = (30.0, 30.5, 30.6, 19.2)


@dataclass
class Room:
    """What was written: intrinsics at the size that is read, and poses by the pictures' names."""

    folder: Path
    K: Float64[Tensor, "3 3"]
    c2w: dict[str, Float64[Tensor, "4 4"]] = field(default_factory=dict)


def write_eyeful(
    folder: Path, name: str = "office1b", positions: int = 3, sensors: tuple[int, ...] = (17, 9, 10)
) -> Room:
    """A room photographed by sensors of a rig that moves; sensor 17 is kept for tests. All pictures show the wall.

    Args:
        folder: Of the data set.
        name: Of the room.
        positions: Of the rig.
        sensors: In the order of the file.
    """
    made = Room(folder / name, world.intrinsics(*SMALL))
    K = made.K.clone()
    K[0] *= FULL[0] / SMALL[0]
    K[1] *= FULL[1] / SMALL[1]
    rows, split = [], {"train": [], "test": []}
    for sensor in sensors:
        for position, pose in enumerate(world.moving_poses(positions)):
            c2w = pose.clone()
            c2w[:3, 3] += 0.01 * sensor * c2w[:3, 1]
            camera = f"{sensor}/{sensor}_DSC{position + 100:04d}"
            rows.append(_krt(camera, K, c2w, position, sensor))
            split["test" if sensor == 17 else "train"].append(camera)
            made.c2w[camera] = c2w
            path = made.folder / f"images-jpeg-1k/{camera}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), brown_picture(made.K.numpy())[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])
    (made.folder / "cameras.json").write_text(json.dumps({"KRT": rows}))
    (made.folder / "splits.json").write_text(json.dumps(split))
    return made


def _krt(camera: str, K: Tensor, c2w: Tensor, position: int, sensor: int) -> dict[str, Any]:
    """A camera with both matrices column by column."""
    return {
        "width": FULL[0],
        "height": FULL[1],
        "cameraId": camera,
        "K": K.T.tolist(),
        "T": c2w.inverse().T.tolist(),
        "distortionModel": "RadialAndTangential",
        "distortion": list(BROWN),
        "frameId": position,
        "sensorId": sensor,
    }


def write_scannetpp(folder: Path, name: str = "0a5c013435", frames: int = 4, test: int = 1) -> Room:
    """A room photographed with a fisheye; all pictures show the wall, and their masks are black in the middle."""
    fx, fy, cx, cy = FISHEYE_K
    made = Room(folder / "data" / name, torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]).double())
    dslr = made.folder / "dslr"
    rows = []
    for number, c2w in enumerate(world.moving_poses(frames + test)):
        picture = f"DSC{number + 1:05d}.JPG"
        made.c2w[picture] = c2w
        rows.append(
            {"file_path": picture, "mask_path": picture.replace("JPG", "png"), "transform_matrix": stored_pose(c2w)}
        )
        path = dslr / "resized_images" / picture
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), fisheye_picture()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])
        mask = np.full((DSLR[1], DSLR[0]), 255, np.uint8)
        mask[15:25, 25:35] = 0
        save_picture(dslr / "resized_anon_masks" / picture.replace("JPG", "png"), mask)
    lens = dict(zip(("fl_x", "fl_y", "cx", "cy"), FISHEYE_K, strict=True))
    lens |= dict(zip(("k1", "k2", "k3", "k4"), FISHEYE, strict=True))
    # Those for tests lie among the others by name, and files need not be in order.
    stored = {
        **lens,
        "w": DSLR[0],
        "h": DSLR[1],
        "camera_model": "OPENCV_FISHEYE",
        "frames": [*rows[2:][::-1], rows[0]],
        "test_frames": rows[1:2],
    }
    (dslr / "nerfstudio").mkdir()
    (dslr / "nerfstudio/transforms.json").write_text(json.dumps(stored))
    return made


def stored_pose(c2w: Tensor) -> list[list[float]]:
    """As the set's toolbox makes it of COLMAP's: OpenGL axes, world axes 0 and 1 swapped, the third turned round."""
    pose = c2w.numpy() @ np.diag([1.0, -1.0, -1.0, 1.0])
    swap = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]], dtype=float)
    return (swap @ pose).tolist()


def fisheye_picture() -> np.ndarray:
    """uint8 [h, w, 3] of a wall one metre ahead, through the fisheye: smooth, another colour at every slope."""
    fx, fy, cx, cy = FISHEYE_K
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    return _wall(cv2.fisheye.undistortPoints(*_grid(DSLR, K), np.array(FISHEYE)).reshape(DSLR[1], DSLR[0], 2))


def brown_picture(K: np.ndarray) -> np.ndarray:
    """The same through Brown's lens."""
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-12)
    slopes = cv2.undistortPointsIter(*_grid(SMALL, K), np.array(BROWN), np.eye(3), np.eye(3), criteria)
    return _wall(slopes.reshape(SMALL[1], SMALL[0], 2))


def straight_picture(K: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The same through a pinhole."""
    rows, columns = np.mgrid[: size[1], : size[0]] + 0.5
    return _wall(np.stack([(columns - K[0, 2]) / K[0, 0], (rows - K[1, 2]) / K[1, 1]], -1))


def _wall(slopes: np.ndarray) -> np.ndarray:
    x, y = slopes[..., 0], slopes[..., 1]
    colours = np.stack([np.sin(3 * x + y), np.cos(2 * x - 3 * y), np.sin(4 * y)], -1)
    return (127 + 100 * colours).round().astype(np.uint8)


def _grid(size: tuple[int, int], K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres of all pixels, and intrinsics, as OpenCV has them: whole numbers are centres."""
    grid = np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), -1).reshape(-1, 1, 2).astype(np.float64)
    return grid, K - np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
