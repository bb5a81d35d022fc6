"""NVIDIA's dynamic scenes in their three layouts, of a small world with known cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from tests.evaluation.data import fabricate_world as world

RIG = 12


@dataclass
class FabricatedRig:
    """What was written of one scene.

    Attributes:
        folder: Of the scene.
        c2w: Of the rig's cameras.
        K: Of all pictures at the size at which they are read.
    """

    folder: Path
    c2w: list[Float64[Tensor, "4 4"]]
    K: Float64[Tensor, "3 3"]


def write_mono(
    folder: Path, scenes: Sequence[str] = ("Jumping",), size: tuple[int, int] = (64, 36), drawn: bool = True
) -> list[FabricatedRig]:
    """DynamicNeRF's layout: 12 frames, and the truth of the first camera in `gt`.

    Args:
        folder: Of the data set.
        scenes: Their names; each shows another world.
        size: Width and height of the pictures.
        drawn: Whether pictures show the world; else they are grey.

    Returns:
        The scenes, in their order.
    """
    made = []
    for number, name in enumerate(scenes):
        rig = _rig(folder / name, number, size)
        for time in range(RIG):
            for name, camera in ((f"images/{time:03d}.png", time), (f"gt/v000_t{time:03d}.png", 0)):
                rgb, _ = _seen(rig, camera, time, number, size, RIG, drawn)
                _save(rig.folder / name, rgb)
        _poses(rig, "poses_bounds.npy", RIG, size)
        made.append(rig)
    return made


def write_nsff(
    folder: Path,
    scenes: Sequence[str] = ("Jumping",),
    frames: int = 14,
    size: tuple[int, int] = (64, 36),
    poses: str = "poses_bounds.npy",
    drawn: bool = True,
) -> list[FabricatedRig]:
    """NSFF's layout; the rig's pictures and masks are twice as large, the frame's own camera is left out.

    Args:
        folder: Of the data set.
        scenes: Their names; each shows another world.
        frames: Times, 12 or more.
        size: Width and height of the given pictures.
        poses: Name of the file of cameras, `poses_bounds_cvd.npy` in DynIBaR's copy.
        drawn: Whether pictures show the world; else they are grey.

    Returns:
        The scenes, in their order.
    """
    made = []
    for number, name in enumerate(scenes):
        rig = _rig(folder / name, number, size)
        for time in range(frames):
            own = time % RIG
            rgb, _ = _seen(rig, own, time, number, size, frames, drawn)
            _save(rig.folder / f"dense/images_{size[0]}x{size[1]}/{time:05d}.png", rgb)
            for camera in (one for one in range(RIG) if one != own):
                where = f"{time:05d}/cam{camera + 1:02d}"
                rgb, moves = _seen(rig, camera, time, number, (2 * size[0], 2 * size[1]), frames, drawn)
                _save(rig.folder / f"dense/mv_images/{where}.jpg", rgb)
                _save(rig.folder / f"dense/mv_masks/{where}.png", moves)
        _poses(rig, f"dense/{poses}", frames, size)
        made.append(rig)
    return made


def _rig(folder: Path, number: int, size: tuple[int, int]) -> FabricatedRig:
    return FabricatedRig(folder, [world.standing_pose(camera, number) for camera in range(RIG)], _centred(size))


def _centred(size: tuple[int, int]) -> Tensor:
    """LLFF has no room for a principal point."""
    K = torch.eye(3, dtype=torch.float64)
    K[0, 0] = K[1, 1] = 0.8 * size[0]
    K[0, 2], K[1, 2] = size[0] / 2, size[1] / 2
    return K


def _seen(
    rig: FabricatedRig, camera: int, time: int, number: int, size: tuple[int, int], frames: int, drawn: bool
) -> tuple[np.ndarray, np.ndarray]:
    """A picture, blue first, and where something moves, 255."""
    if not drawn:
        return np.full((size[1], size[0], 3), 128, np.uint8), np.zeros((size[1], size[0]), np.uint8)
    at = time / max(frames - 1, 1)
    rgb, _, moves = world.picture_and_truth(at, rig.c2w[camera], _centred(size), size, number)
    return rgb[..., ::-1], moves.astype(np.uint8) * 255


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 98] if path.suffix == ".jpg" else [])


def _poses(rig: FabricatedRig, name: str, frames: int, size: tuple[int, int]) -> None:
    """As solved on pictures three times as large; columns are down, right, back, centre, and height, width, focal."""
    rows = []
    for time in range(frames):
        pose = rig.c2w[time % RIG].numpy()
        lens = 3 * np.array([size[1], size[0], 0.8 * size[0]])
        matrix = np.stack([pose[:3, 1], pose[:3, 0], -pose[:3, 2], pose[:3, 3], lens], 1)
        rows.append(np.concatenate([matrix.ravel(), [0.5, 20.0]]))
    np.save(rig.folder / name, np.stack(rows))
