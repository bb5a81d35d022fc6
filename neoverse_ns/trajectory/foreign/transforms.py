"""Poses and intrinsics from a file of cameras."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.camera_path import opencv_to_opengl
from neoverse_ns.trajectory.fields import get_count, get_list, get_matrix, get_number, get_object, get_text, read_json
from neoverse_ns.trajectory.foreign.entry import CameraEntry, Label, label, natural
from neoverse_ns.trajectory.foreign.path import ForeignPath

_DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")


def read_cameras(path: Path) -> list[CameraEntry]:
    """Read a nerfstudio `transforms.json`, or a `cameras.json` as this package writes it.

    Raises:
        SettingsError: The file is missing or a field is wrong; the message names both.
    """
    document = read_json(path)
    try:
        frames = get_list(document.get("frames", []), "frames")
        if not frames:
            raise SettingsError("'frames' is missing or empty: it must list a camera per frame")
        own = document.get("convention") == "opencv_c2w"
        read = _own_entry if own else _nerfstudio_entry
        entries = [read(document, get_object(frame, f"frames[{i}]"), f"frames[{i}]") for i, frame in enumerate(frames)]
        model = document.get("camera_model", "PINHOLE")
        if model not in ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE"):
            raise SettingsError(f"'camera_model' {model} is not supported: undistort the images to a pinhole camera")
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    if any(document.get(key) or any(frame.get(key) for frame in frames) for key in _DISTORTION):
        warn(f"{path}: lens distortion is ignored; for best results undistort the images first")
    return entries


def path_of_cameras(path: Path) -> ForeignPath:
    """The cameras of such a file as a path: by their times where all have one, else by their names.

    Times between 0 and 1 are shares of the clip in a `transforms.json`, as readers of dynamic scenes take them.
    Exported paths that are not the clip's own are in the order of their names, since their time may go back.

    Raises:
        SettingsError: As :func:`read_cameras`.
    """
    entries = read_cameras(path)
    times = [entry.time for entry in entries if entry.time is not None]
    ours = all(entry.label.of_path for entry in entries)
    if len(times) == len(entries) and not ours:
        entries.sort(key=lambda entry: entry.time or 0.0)
    else:
        entries.sort(key=lambda entry: natural(entry.label.name))
    named = any(entry.label.name for entry in entries)
    shares = named and all(0 <= time <= 1 for time in times)
    found = ForeignPath.of(entries, "shares" if shares else "seconds")
    fps = read_json(path).get("fps") if ours else None
    return found if fps is None else replace(found, fps=get_number(fps, f"{path}: fps", above=0.0))


def _own_entry(document: dict[str, Any], frame: dict[str, Any], name: str) -> CameraEntry:
    rows = get_list(frame.get("K"), f"{name}.K")
    values = [get_number(x, f"{name}.K[{i}]") for i, row in enumerate(rows) for x in get_list(row, f"{name}.K[{i}]")]
    if len(values) != 9 or min(values[0], values[4]) <= 0:
        raise SettingsError(f"'{name}.K' must be a 3x3 matrix with focal lengths above 0")
    # Exported cameras that are no frames of a clip have a name instead, and the time of the scene they show.
    numbered = "frame_index" in frame or "name" not in frame
    return CameraEntry(
        label=Label("", get_count(frame.get("frame_index"), f"{name}.frame_index", 0))
        if numbered
        else label(get_text(frame["name"], f"{name}.name")),
        c2w=get_matrix(frame.get("c2w"), f"{name}.c2w"),
        K=torch.tensor(values, dtype=torch.float64).reshape(3, 3),
        size=(get_count(document.get("width"), "width", 1), get_count(document.get("height"), "height", 1)),
        time=_time(frame.get("time_sec" if numbered else "time")),
    )


def _nerfstudio_entry(document: dict[str, Any], frame: dict[str, Any], name: str) -> CameraEntry:
    both = document | frame
    size = None
    if "w" in both and "h" in both:
        size = get_count(both["w"], "w", 1), get_count(both["h"], "h", 1)
    c2w = opencv_to_opengl(get_matrix(frame.get("transform_matrix"), f"{name}.transform_matrix"))
    return CameraEntry(
        label=label(get_text(frame.get("file_path"), f"{name}.file_path")),
        c2w=c2w,
        K=_intrinsics(both, size),
        size=size,
        time=_time(frame.get("time")),
    )


def _time(value: Any) -> float | None:
    """A time where there is one; what else such a field may hold is nobody's error."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _intrinsics(fields: dict[str, Any], size: tuple[int, int] | None) -> Float64[Tensor, "3 3"] | None:
    """Focal lengths in pixels or as angles of view, for one axis or both; None without either or without a size."""
    if size is None:
        return None
    width, height = size
    fx, fy = _focal(fields, "fl_x", "camera_angle_x", width), _focal(fields, "fl_y", "camera_angle_y", height)
    if fx is None and fy is None:
        return None
    fx, fy = fx or fy, fy or fx
    cx = get_number(fields.get("cx", width / 2), "cx")
    cy = get_number(fields.get("cy", height / 2), "cy")
    return torch.tensor([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]], dtype=torch.float64)


def _focal(fields: dict[str, Any], pixels: str, angle: str, side: int) -> float | None:
    if pixels in fields:
        return get_number(fields[pixels], pixels, above=0.0)
    if angle not in fields:
        return None
    view = get_number(fields[angle], angle, above=0.0)
    if view >= math.pi:
        raise SettingsError(f"'{angle}' must be an angle below pi (radians), found {view}")
    return side / 2 / math.tan(view / 2)
