"""COLMAP models in their binary form: cameras.bin, images.bin, points3D.bin. Little-endian, as COLMAP's own."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from neoverse_ns.export.colmap.model import ColmapModel

_PINHOLE = 1
"""COLMAP's number for the camera model."""


def write_binary(model: ColmapModel, folder: Path) -> None:
    """Write a model into `folder`, which is created.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cameras = [
        struct.pack("<IiQQ4d", number + 1, _PINHOLE, *model.size, *values)
        for number, values in enumerate(model.intrinsics.tolist())
    ]
    _write(folder / "cameras.bin", cameras)
    _write(folder / "images.bin", _images(model))
    _write(folder / "points3D.bin", _points(model))


def _images(model: ColmapModel) -> list[bytes]:
    seen = np.empty(len(model.tracks.point), [("uv", "<f8", 2), ("point", "<i8")])
    seen["uv"], seen["point"] = model.tracks.uv.numpy(), model.tracks.point.numpy() + 1
    records = []
    for i, (name, pose) in enumerate(zip(model.names, model.poses.tolist(), strict=True)):
        points = seen[model.observations(i)]
        head = struct.pack("<I7dI", i + 1, *pose, model.camera[i] + 1)
        records.append(head + name.encode() + b"\0" + struct.pack("<Q", len(points)) + points.tobytes())
    return records


def _points(model: ColmapModel) -> list[bytes]:
    tracks = model.tracks
    order, starts = model.by_point()
    head = np.empty(
        len(tracks), [("id", "<u8"), ("xyz", "<f8", 3), ("rgb", "u1", 3), ("error", "<f8"), ("length", "<u8")]
    )
    head["id"], head["length"] = np.arange(len(tracks)) + 1, np.diff(starts)
    head["xyz"], head["rgb"], head["error"] = tracks.points.numpy(), tracks.colours.numpy(), tracks.errors.numpy()
    seen = np.stack([tracks.frame.numpy()[order] + 1, model.place[order]], -1).astype("<u4")
    return [head[i].tobytes() + seen[starts[i] : starts[i + 1]].tobytes() for i in range(len(tracks))]


def _write(path: Path, records: list[bytes]) -> None:
    path.write_bytes(struct.pack("<Q", len(records)) + b"".join(records))
