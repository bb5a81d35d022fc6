"""Cameras in the formats of other tools: our own JSON, nerfstudio's `transforms.json`, TUM and COLMAP text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_inverse
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
    cameras: PinholeCameras, file_paths: Sequence[str], times: Float[Tensor, " n"] | None = None
) -> dict[str, Any]:
    """The `transforms.json` of nerfstudio's own dataparser: OpenGL c2w, intrinsics per frame.

    Args:
        cameras: One per image.
        file_paths: Image files, relative to the folder of `transforms.json`.
        times: Normalised times, for readers of dynamic scenes.

    Raises:
        SettingsError: The lists differ in length.
    """
    _check_length("file_paths", file_paths, len(cameras))
    c2w = opencv_to_opengl(cameras.c2w)
    frames = []
    for i, path in enumerate(file_paths):
        K = cameras.K[i]
        frame = {"file_path": str(path), "transform_matrix": c2w[i]}
        frame |= {"fl_x": K[0, 0], "fl_y": K[1, 1], "cx": K[0, 2], "cy": K[1, 2], "w": cameras.width}
        frame |= {"h": cameras.height}
        if times is not None:
            frame["time"] = times[i]
        frames.append(frame)
    return plain({"camera_model": "PINHOLE", "frames": frames})


def write_tum(path: Path, c2w: Float[Tensor, "n 4 4"], seconds: Float[Tensor, " n"] | Sequence[float]) -> None:
    """A trajectory in the TUM RGB-D format: time, centre, and camera-to-world quaternion xyzw, a line per camera."""
    _check_length("seconds", seconds, len(c2w))
    c2w = c2w.to(torch.float64)
    q = quaternions.from_matrix(c2w[:, :3, :3])[:, [1, 2, 3, 0]]
    lines = ["# timestamp tx ty tz qx qy qz qw"]
    for i in range(len(c2w)):
        values = [*c2w[i, :3, 3].tolist(), *q[i].tolist()]
        lines.append(f"{float(seconds[i]):.6f} " + " ".join(f"{v:.9g}" for v in values))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_colmap_text(
    folder: Path,
    cameras: PinholeCameras,
    names: Sequence[str],
    points: Float[Tensor, "p 3"] | None = None,
    colours: UInt8[Tensor, "p 3"] | None = None,
) -> None:
    """A COLMAP text model: `cameras.txt`, `images.txt` and `points3D.txt` in `folder`, which is created.

    COLMAP's own convention: world-to-camera, quaternions wxyz, pixel centres at +0.5. Frames with the same intrinsics
    share a camera.

    Args:
        folder: Where the three files go.
        cameras: One per image.
        names: Image file names, in order.
        points: World points, without tracks; none makes an empty file.
        colours: RGB of the points in [0, 255]; grey without.

    Raises:
        SettingsError: The lists differ in length.
    """
    _check_length("names", names, len(cameras))
    folder.mkdir(parents=True, exist_ok=True)
    K = cameras.K.to(torch.float64)
    parameters = [f"{k[0, 0]:.9g} {k[1, 1]:.9g} {k[0, 2]:.9g} {k[1, 2]:.9g}" for k in K]
    numbers = {text: i + 1 for i, text in enumerate(dict.fromkeys(parameters))}
    _write(
        folder / "cameras.txt",
        "CAMERA_ID MODEL WIDTH HEIGHT fx fy cx cy",
        [f"{number} PINHOLE {cameras.width} {cameras.height} {text}" for text, number in numbers.items()],
    )
    viewmats = se3_inverse(cameras.c2w.to(torch.float64))
    q = quaternions.from_matrix(viewmats[:, :3, :3])
    images = []
    for i, name in enumerate(names):
        pose = " ".join(f"{v:.12g}" for v in [*q[i].tolist(), *viewmats[i, :3, 3].tolist()])
        # The second line of every image lists its feature points, of which there are none.
        images += [f"{i + 1} {pose} {numbers[parameters[i]]} {name}", ""]
    _write(folder / "images.txt", "IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then a line of points", images)
    rows = []
    if points is not None:
        rgb = torch.full(points.shape, 128) if colours is None else colours
        for i, (xyz, colour) in enumerate(zip(points.tolist(), rgb.tolist(), strict=True)):
            rows.append(f"{i + 1} " + " ".join(f"{v:.9g}" for v in xyz) + " {} {} {} 0".format(*colour))
    _write(folder / "points3D.txt", "POINT3D_ID X Y Z R G B ERROR TRACK[]", rows)


def _write(path: Path, header: str, rows: list[str]) -> None:
    path.write_text("\n".join([f"# {header}", *rows]) + "\n", encoding="utf-8")


def _check_length(name: str, values: Tensor | Sequence[Any], count: int) -> None:
    if len(values) != count:
        raise SettingsError(f"'{name}' has {len(values)} entries for {count} cameras")
