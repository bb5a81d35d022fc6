"""Scenes in DyCheck's layout, and in Shape of Motion's copy of it, of a small world with known cameras."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.geometry import quaternions
from tests.evaluation.data import fabricate_world as world

REFINED_SCALE = 1.7
"""Metres in a unit of the fabricated COLMAP models."""


@dataclass
class Fabricated:
    """What was written of one scene.

    Attributes:
        folder: Of the scene.
        c2w: By frame's name (`0_00003`): camera to world, metres.
        K: Of all frames at full size, in pixels with centres at +0.5.
        times: By camera.
    """

    folder: Path
    c2w: dict[str, Float64[Tensor, "4 4"]] = field(default_factory=dict)
    K: Float64[Tensor, "3 3"] = field(default_factory=lambda: torch.eye(3, dtype=torch.float64))
    times: dict[str, list[int]] = field(default_factory=dict)


def write_dycheck(
    folder: Path,
    scenes: Sequence[str] = ("paper-windmill",),
    frames: int = 8,
    size: tuple[int, int] = (48, 64),
    missing: Mapping[str, Sequence[int]] | None = None,
    hole: tuple[slice, slice] | None = None,
    lens: Mapping[str, Sequence[float]] | None = None,
    pictures: bool = True,
    refined: bool = False,
) -> list[Fabricated]:
    """Write scenes of one moving and two standing cameras; each scene shows another world.

    Args:
        folder: Of the data set.
        scenes: Their names.
        frames: Times of the moving camera.
        size: Width and height of the pictures at 1x, even numbers; 2x is halved.
        missing: By camera ("1", "2"), times that it has no frame of; by default camera 2 lacks the first quarter.
        hole: Rows and columns at 1x of pictures of camera 1 that are transparent.
        lens: By camera, k1, k2, k3, p1, p2 as its files have them; its pictures are bent accordingly.
        pictures: Whether to draw pictures, depth and masks; else only lists and cameras are written.
        refined: Whether to write Shape of Motion's folders, too.

    Returns:
        The scenes, in their order.
    """
    missing = {"2": range(frames // 4)} if missing is None else missing
    return [
        _write_scene(folder / name, seed, frames, size, missing, hole, lens or {}, pictures, refined)
        for seed, name in enumerate(scenes)
    ]


def _write_scene(
    folder: Path,
    seed: int,
    frames: int,
    size: tuple[int, int],
    missing: Mapping[str, Sequence[int]],
    hole: tuple[slice, slice] | None,
    lens: Mapping[str, Sequence[float]],
    pictures: bool,
    refined: bool,
) -> Fabricated:
    made = Fabricated(folder, K=world.intrinsics(*size))
    for camera in ("0", "1", "2"):
        made.times[camera] = [time for time in range(frames) if time not in missing.get(camera, ())]
    moving = world.moving_poses(frames, seed)
    for camera, times in made.times.items():
        for time in times:
            name = f"{camera}_{time:05d}"
            made.c2w[name] = moving[time] if camera == "0" else world.standing_pose(int(camera), seed)
            _json(folder / f"camera/{name}.json", _camera(made.c2w[name], made.K, size, lens.get(camera, (0,) * 5)))
    _lists(made, frames)
    if refined:
        _write_colmap(made, size)
    if pictures:
        _draw(made, seed, frames, size, hole, lens, refined)
    return made


def _camera(c2w: Tensor, K: Tensor, size: tuple[int, int], bend: Sequence[float]) -> dict:
    return {
        "focal_length": K[0, 0].item(),
        "image_size": list(size),
        "orientation": c2w[:3, :3].T.tolist(),
        "pixel_aspect_ratio": (K[1, 1] / K[0, 0]).item(),
        "position": c2w[:3, 3].tolist(),
        "principal_point": K[:2, 2].tolist(),
        "radial_distortion": list(bend[:3]),
        "skew": 0.0,
        "tangential_distortion": list(bend[3:]),
    }


def _lists(made: Fabricated, frames: int) -> None:
    splits = {"train": ("0",), "val": ("1", "2")}
    names = {
        split: [(f"{camera}_{time:05d}", int(camera), time) for camera in cameras for time in made.times[camera]]
        for split, cameras in splits.items()
    }
    for split, rows in names.items():
        lists = {
            "camera_ids": [camera for _, camera, _ in rows],
            "frame_names": [name for name, _, _ in rows],
            "time_ids": [time for _, _, time in rows],
        }
        _json(made.folder / f"splits/{split}.json", lists)
    ids = {split: [name for name, _, _ in rows] for split, rows in names.items()}
    both = ids["train"] + ids["val"]
    _json(
        made.folder / "dataset.json",
        {"count": len(both), "num_exemplars": frames, "ids": both, "train_ids": ids["train"], "val_ids": ids["val"]},
    )
    _json(
        made.folder / "metadata.json",
        {
            name: {"warp_id": time, "appearance_id": time, "camera_id": camera}
            for rows in names.values()
            for name, camera, time in rows
        },
    )
    _json(made.folder / "scene.json", {"center": [0.1, 0.2, 4.0], "scale": 0.2, "near": 0.05, "far": 2.0})
    _json(
        made.folder / "extra.json",
        {"bbox": [[-1, -1, -1], [1, 1, 1]], "factor": 2, "fps": 30, "lookat": [0, 0, 1], "up": [0, -1, 0]},
    )


def _draw(
    made: Fabricated,
    seed: int,
    frames: int,
    size: tuple[int, int],
    hole: tuple[slice, slice] | None,
    lens: Mapping[str, Sequence[float]],
    refined: bool,
) -> None:
    half = (size[0] // 2, size[1] // 2)
    for name, c2w in made.c2w.items():
        camera, time = name[0], int(name[2:]) / max(frames - 1, 1)
        depth, _ = world.truth(time, c2w, made.K, size, seed)
        if camera in lens:
            rgb = bent_picture(time, c2w, made.K, size, lens[camera], seed)
        else:
            rgb = world.picture(time, c2w, made.K, size, seed)
        alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
        if camera == "1" and hole is not None:
            alpha[hole] = 0
        rgba = np.concatenate([rgb, alpha], -1)
        _png(made.folder / f"rgb/1x/{name}.png", rgba)
        _png(made.folder / f"rgb/2x/{name}.png", cv2.resize(rgba, half, interpolation=cv2.INTER_AREA))
        if camera == "0":
            for scale, values in (("1x", depth), ("2x", depth[1::2, 1::2])):
                path = made.folder / f"depth/{scale}/{name}.npy"
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, values[..., None])
        else:
            seen = covisible(made, depth, c2w, size)
            _png(made.folder / f"covisible/2x/val/{name}.png", _white(seen[::2, ::2]))
            if refined:
                _png(made.folder / f"flow3d_preprocessed/covisible/1x/val/{name}.png", _white(seen))


def covisible(made: Fabricated, depth: np.ndarray, c2w: Tensor, size: tuple[int, int]) -> np.ndarray:
    """Pixels whose points fall into more than half of the input camera's pictures, whatever stands before them."""
    rows, columns = np.mgrid[: size[1], : size[0]] + 0.5
    rays = np.stack([columns, rows, np.ones_like(rows)], -1) @ np.linalg.inv(made.K.numpy()).T
    points = (rays * depth[..., None]) @ c2w[:3, :3].numpy().T + c2w[:3, 3].numpy()
    poses = [pose.numpy() for name, pose in made.c2w.items() if name[0] == "0"]
    count = np.zeros(depth.shape)
    for pose in poses:
        local = (points - pose[:3, 3]) @ pose[:3, :3] @ made.K.numpy().T
        pixel = local[..., :2] / np.maximum(local[..., 2:], 1e-6)
        count += (local[..., 2] > 0) & (pixel > 0).all(-1) & (pixel < np.array(size)).all(-1)
    return count > len(poses) / 2


def bent_picture(
    time: float, c2w: Tensor, K: Tensor, size: tuple[int, int], bend: Sequence[float], seed: int = 0
) -> np.ndarray:
    """What a lens of Brown's model sees, sampled from a finer and wider picture of a pinhole.

    Args:
        time: From 0 to 1.
        c2w: Camera to world.
        K: Of the lens.
        size: Width and height.
        bend: k1, k2, k3, p1, p2.
        seed: Of the world.
    """
    fine, margin = 5, 0.4
    wide = (int(size[0] * (1 + margin)) * fine, int(size[1] * (1 + margin)) * fine)
    shift = torch.tensor([(wide[0] / fine - size[0]) / 2, (wide[1] / fine - size[1]) / 2], dtype=torch.float64)
    K_fine = K.clone()
    K_fine[:2, 2] += shift
    K_fine[:2] *= fine
    source = world.picture(time, c2w, K_fine, wide, seed, rays=1)
    k1, k2, k3, p1, p2 = bend
    # OpenCV counts pixels by their centres, and inverts the lens by iteration.
    matrix = K.numpy().copy()
    matrix[:2, 2] -= 0.5
    grid = np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), -1).reshape(-1, 1, 2).astype(np.float64)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-12)
    slopes = cv2.undistortPointsIter(grid, matrix, np.array([k1, k2, p1, p2, k3]), np.eye(3), np.eye(3), criteria)[:, 0]
    columns = slopes[:, 0] * K_fine[0, 0].item() + K_fine[0, 2].item() - 0.5
    rows = slopes[:, 1] * K_fine[1, 1].item() + K_fine[1, 2].item() - 0.5
    # Averaging over as many fine pixels as make one keeps the picture as soft as a rendered one.
    soft = cv2.blur(source, (fine, fine))
    where = (columns.reshape(size[1], size[0]), rows.reshape(size[1], size[0]))
    return cv2.remap(soft, where[0].astype(np.float32), where[1].astype(np.float32), cv2.INTER_LINEAR)


def _write_colmap(made: Fabricated, size: tuple[int, int]) -> None:
    """Cameras as COLMAP has them, byte by byte: one pinhole, centres in its own unit."""
    sparse = made.folder / "flow3d_preprocessed/colmap/sparse"
    sparse.mkdir(parents=True)
    K = made.K
    values = (K[0, 0].item(), K[1, 1].item(), K[0, 2].item(), K[1, 2].item())
    (sparse / "cameras.bin").write_bytes(struct.pack("<QIiQQ4d", 1, 7, 1, *size, *values))
    rows = [struct.pack("<Q", len(made.c2w))]
    for number, (name, c2w) in enumerate(made.c2w.items()):
        w2c = c2w.inverse()
        q = quaternions.from_matrix(w2c[:3, :3]).tolist()
        rows.append(struct.pack("<I7dI", number + 1, *q, *(w2c[:3, 3] / REFINED_SCALE).tolist(), 7))
        # Points that were seen are passed over by whoever wants cameras alone.
        seen = struct.pack("<Qddqddq", 2, 1.0, 2.0, -1, 3.0, 4.0, 5)
        rows.append(f"{name}.png".encode() + b"\0" + seen)
    (sparse / "images.bin").write_bytes(b"".join(rows))
    np.save(made.folder / "flow3d_preprocessed/colmap/scale.npy", np.float64(REFINED_SCALE))


def _white(mask: np.ndarray) -> np.ndarray:
    return mask.astype(np.uint8) * 255


def _png(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    order = [2, 1, 0, 3][: pixels.shape[-1]] if pixels.ndim == 3 else None
    assert cv2.imwrite(str(path), pixels if order is None else pixels[..., order])


def _json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=4))
