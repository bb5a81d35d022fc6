"""One instant as binary glTF with the extension KHR_gaussian_splatting, and the clip's camera beside it."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neoverse_ns.export.axes import turn_quaternion
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.trajectory.camera_path import opencv_to_opengl

EXTENSION = "KHR_gaussian_splatting"
_FLOAT, _BYTE, _ARRAY_BUFFER, _POINTS = 5126, 5121, 34962, 0
_ALIGNED = 4


def write_glb(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    """Write `gaussians.glb`, the instant asked for, and the clip's camera of that time.

    glTF has +y up; the turn from this package's world stands on the root node, the attributes are as they are here.
    Viewers without the extension show coloured points. Viewers cut Gaussians at three standard deviations, this
    package where they fall below 1/255.

    Raises:
        OSError: The file cannot be written.
        SettingsError: There is no such instant.
        RunError: Nothing is visible then.
    """
    time = options.among(scene.times)
    camera = camera_at(scene.cameras, scene.times, time)
    path = folder / "gaussians.glb"
    blob = glb_of(scene.visible_instant(time, options.max_gaussians), camera, scene.second_at(time))
    path.write_bytes(blob)
    return [path]


def glb_of(now: GaussiansAtTime, camera: PinholeCameras, second: float) -> bytes:
    """The file's bytes.

    Args:
        now: Gaussians in this package's world.
        camera: One, in the same world.
        second: Of the source, noted in the file.
    """
    buffer = _Buffer()
    attributes = _attributes(now, buffer)
    w, x, y, z = turn_quaternion("y").tolist()
    wide, high = camera.width / float(camera.K[0, 0, 0]), camera.height / float(camera.K[0, 1, 1])
    # The format knows no principal point beside the middle.
    lens = {"yfov": 2 * math.atan(high / 2), "aspectRatio": wide / high, "znear": 0.01}
    extension = {
        "kernel": "ellipse",
        "colorSpace": "srgb_rec709_display",
        "projection": "perspective",
        "sortingMethod": "cameraDistance",
    }
    primitive = {"attributes": attributes, "mode": _POINTS, "extensions": {EXTENSION: extension}}
    seen = opencv_to_opengl(camera.c2w[0].double()).T.flatten().tolist()
    document = {
        "asset": {"version": "2.0", "generator": "neoverse_ns"},
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"nodes": [0], "extras": {"second": second}}],
        "nodes": [
            {"name": "world", "rotation": [x, y, z, w], "children": [1, 2]},
            {"name": "gaussians", "mesh": 0},
            {"name": "clip camera", "camera": 0, "matrix": seen},
        ],
        "meshes": [{"primitives": [primitive]}],
        "cameras": [{"type": "perspective", "perspective": lens}],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }
    return _pack(document, bytes(buffer.data))


def _attributes(now: GaussiansAtTime, buffer: _Buffer) -> dict[str, int]:
    """Accessors of the primitive's attributes, whose values are appended to the buffer."""
    q = quaternions.normalize(now.quats)[:, [1, 2, 3, 0]]
    rgb = (0.5 + SH_C0 * now.sh[:, 0]).clamp(0, 1)
    # The base format wants vertex colours linear.
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    points = (torch.cat([linear, now.opacities[:, None]], dim=1) * 255).round().to(torch.uint8)
    names = {
        "POSITION": buffer.add(_array(now.means), bounds=True),
        f"{EXTENSION}:ROTATION": buffer.add(_array(q)),
        f"{EXTENSION}:SCALE": buffer.add(_array(now.scales)),
        f"{EXTENSION}:OPACITY": buffer.add(_array(now.opacities)),
        "COLOR_0": buffer.add(points.cpu().numpy(), normalized=True),
    }
    for degree in range(round(now.sh.shape[1] ** 0.5)):
        for place in range(2 * degree + 1):
            coefficient = _array(now.sh[:, degree * degree + place])
            names[f"{EXTENSION}:SH_DEGREE_{degree}_COEF_{place}"] = buffer.add(coefficient)
    return names


def _array(values: torch.Tensor) -> NDArray:
    return values.detach().cpu().to(torch.float32).numpy()


class _Buffer:
    """The binary part, and what says where in it everything lies."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: NDArray, bounds: bool = False, normalized: bool = False) -> int:
        """Append an array [n] or [n,k]; returns the number of its accessor."""
        columns = 1 if values.ndim == 1 else values.shape[1]
        blob = np.ascontiguousarray(values).tobytes()
        self.views.append({"buffer": 0, "byteOffset": len(self.data), "byteLength": len(blob), "target": _ARRAY_BUFFER})
        accessor: dict[str, Any] = {
            "bufferView": len(self.views) - 1,
            "componentType": _BYTE if values.dtype == np.uint8 else _FLOAT,
            "count": len(values),
            "type": ("SCALAR", "VEC2", "VEC3", "VEC4")[columns - 1],
        }
        if bounds:
            accessor |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        if normalized:
            accessor["normalized"] = True
        self.accessors.append(accessor)
        self.data += blob + bytes(-len(blob) % _ALIGNED)
        return len(self.accessors) - 1


def _pack(document: dict[str, Any], binary: bytes) -> bytes:
    """Header, JSON padded with blanks, binary padded with zeros."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % _ALIGNED)
    binary += bytes(-len(binary) % _ALIGNED)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
