"""Cameras in the formats of other tools: our own JSON, nerfstudio's `transforms.json`, TUM."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.camera_path import opencv_to_opengl
from neoverse_ns.trajectory.plain_json import plain


def cameras_json(
    cameras: PinholeCameras,
    frame_indices: Int64[Tensor, " n"] | Sequence[int],
    seconds: Float[Tensor, " n"] | Sequence[float],
    keyframes: Sequence[int],
    report: dict[str, Any],
) -> dict[str, Any]:
    """Everything about the cameras of a clip, strictly valid JSON.

    Args:
        cameras: One per sampled frame.
        frame_indices: Position of every frame in the source.
        seconds: Time of every frame in the source.
        keyframes: Positions of the keyframes among the sampled frames.
        report: What was done; values that JSON does not have become null.

    Raises:
        SettingsError: The lists differ in length.
    """
    _check_length("frame_indices", frame_indices, len(cameras))
    _check_length("seconds", seconds, len(cameras))
    chosen = {int(k) for k in keyframes}
    frames = [
        {
            "frame_index": int(frame_indices[i]),
            "time_sec": float(seconds[i]),
            "c2w": cameras.c2w[i],
            "K": cameras.K[i],
            "is_keyframe": i in chosen,
        }
        for i in range(len(cameras))
    ]
    document = {
        "convention": "opencv_c2w",
        "width": cameras.width,
        "height": cameras.height,
        "frames": frames,
        "report": report,
    }
    return plain(document)


def transforms_json(
    cameras: PinholeCameras,
    file_paths: Sequence[str],
    times: Float[Tensor, " n"] | None = None,
    points_file: str | None = None,
    held_out: Sequence[int] = (),
) -> dict[str, Any]:
    """The `transforms.json` of nerfstudio's own dataparser: OpenGL c2w, intrinsics per frame.

    Intrinsics that all frames share stand above the frames, too, for readers that look nowhere else.

    Args:
        cameras: One per image.
        file_paths: Image files, relative to the folder of `transforms.json`.
        times: Normalised times, for readers of dynamic scenes.
        points_file: A point cloud (PLY) in the same world, relative to the same folder.
        held_out: Positions of images to test on; where there are none, readers choose some themselves.

    Raises:
        SettingsError: The lists differ in length.
    """
    _check_length("file_paths", file_paths, len(cameras))
    c2w = opencv_to_opengl(cameras.c2w)
    paths = [str(path) for path in file_paths]
    # Undistorted, which this name promises as well as "PINHOLE" does where k1 and the like are absent; some readers
    # refuse the latter.
    document: dict[str, Any] = {"camera_model": "OPENCV"}
    if torch.equal(cameras.K, cameras.K[:1].expand_as(cameras.K)):
        document |= _intrinsics(cameras, 0)
    # Left out, nerfstudio takes the world for turned if a folder colmap/sparse/0 is there.
    document["applied_transform"] = torch.eye(4)[:3]
    if points_file is not None:
        document["ply_file_path"] = points_file
    if held_out:
        tested = [paths[i] for i in held_out]
        trained = [path for i, path in enumerate(paths) if i not in set(held_out)]
        document |= {"train_filenames": trained, "val_filenames": tested, "test_filenames": tested}
    frames = []
    for i, path in enumerate(paths):
        frame = {"file_path": path, "transform_matrix": c2w[i]} | _intrinsics(cameras, i)
        if times is not None:
            frame["time"] = times[i]
        frames.append(frame)
    return plain(document | {"frames": frames})


def _intrinsics(cameras: PinholeCameras, frame: int) -> dict[str, Any]:
    K = cameras.K[frame]
    focal = {"fl_x": K[0, 0], "fl_y": K[1, 1], "cx": K[0, 2], "cy": K[1, 2]}
    return focal | {"w": cameras.width, "h": cameras.height}


def write_tum(
    path: Path, c2w: Float[Tensor, "n 4 4"], seconds: Float[Tensor, " n"] | Sequence[float], note: str | None = None
) -> None:
    """A trajectory in the TUM RGB-D format: time, centre, and camera-to-world quaternion xyzw, a line per camera.

    Args:
        path: The file.
        c2w: Poses.
        seconds: When each is taken.
        note: A comment of one line, with its #.
    """
    _check_length("seconds", seconds, len(c2w))
    c2w = c2w.to(torch.float64)
    q = quaternions.from_matrix(c2w[:, :3, :3])[:, [1, 2, 3, 0]]
    lines = ["# timestamp tx ty tz qx qy qz qw", *([] if note is None else [note])]
    for i in range(len(c2w)):
        values = [*c2w[i, :3, 3].tolist(), *q[i].tolist()]
        lines.append(f"{float(seconds[i]):.6f} " + " ".join(f"{v:.9g}" for v in values))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _check_length(name: str, values: Tensor | Sequence[Any], count: int) -> None:
    if len(values) != count:
        raise SettingsError(f"'{name}' has {len(values)} entries for {count} cameras")
