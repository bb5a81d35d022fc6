"""Camera paths of nerfstudio: what `ns-render camera-path` reads and the viewer's render tab loads and saves.

The one file outside `plugin/` that knows nerfstudio's OpenGL camera axes (x right, y up, z backward), because it is the
format's own convention.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.fields import get_list, get_matrix, get_number, get_object, get_text
from neoverse_ns.trajectory.trajectory import Trajectory, spread_times

MOST_KEYFRAMES = 16
"""Keyframes beyond this would crowd the viewer's render tab, which only uses them for editing."""

_FLIP = torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64)


def opencv_to_opengl(c2w: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 4 4"]:
    """Turn camera axes from (right, down, forward) to (right, up, backward); its own inverse. The world stays."""
    return c2w * _FLIP.to(c2w)


def vertical_fov(K: Float[Tensor, "*batch 3 3"], height: int) -> Float64[Tensor, "*batch"]:
    """Vertical field of view in degrees of a camera with centred principal point."""
    return torch.rad2deg(2 * torch.atan(height / (2 * K[..., 1, 1].to(torch.float64))))


def to_camera_path(
    c2w: Float[Tensor, "n 4 4"],
    intrinsics: Float[Tensor, "n 3 3"] | Float[Tensor, " n"] | float,
    times: Float[Tensor, " n"],
    width: int,
    height: int,
    fps: float,
) -> dict[str, Any]:
    """A nerfstudio camera path, ready for `json.dump`.

    Every frame carries its `render_time`, without which nerfstudio renders all of them at no particular time. The
    format knows square pixels and a centred principal point only; others are lost.

    Args:
        c2w: Camera-to-world, OpenCV axes, in the world of the nerfstudio scene.
        intrinsics: Camera matrices in pixels of a `width` x `height` image, or vertical fields of view in degrees, per
            frame or one for all.
        times: Normalised times, 0 for the clip's first frame, 1 for its last.
        width: Width of the video in pixels.
        height: Height of the video in pixels.
        fps: Frames per second of the video.

    Raises:
        SettingsError: There is no frame, or a value is not finite or out of range.
    """
    count = len(c2w)
    if count < 1 or width < 1 or height < 1 or not (math.isfinite(fps) and fps > 0):
        raise SettingsError(
            f"a camera path needs at least one frame, a size and a frame rate, got {count}, {width}x{height}, {fps} fps"
        )
    fov = _fov_degrees(intrinsics, count, height)
    poses = opencv_to_opengl(c2w.to(torch.float64))
    if not (poses.isfinite().all() and times.isfinite().all() and ((fov > 0) & (fov < 180)).all()):
        raise SettingsError("a camera path needs finite poses and times and fields of view between 0 and 180 degrees")
    frames = [
        {
            "camera_to_world": pose.flatten().tolist(),
            "fov": angle,
            "aspect": width / height,
            "render_time": time,
        }
        for pose, angle, time in zip(poses, fov.tolist(), times.tolist(), strict=True)
    ]
    keyframes = [_keyframe(frames[i]) for i in _spread(count)]
    seconds = count / fps
    return {
        "default_fov": fov[0].item(),
        "default_time": frames[0]["render_time"],
        "default_transition_sec": seconds / max(len(keyframes) - 1, 1),
        "keyframes": keyframes,
        "camera_type": "perspective",
        "render_height": height,
        "render_width": width,
        "fps": fps,
        "seconds": seconds,
        "is_cycle": False,
        "smoothness_value": 0.0,
        "camera_path": frames,
    }


def from_camera_path(document: dict[str, Any], width: int, height: int) -> Trajectory:
    """Read a camera path as the viewer or :func:`to_camera_path` wrote it, in the path's own world.

    Where no frame has a time, the path plays the whole clip.

    Args:
        document: The file's content.
        width: Width of the pictures to be drawn, pixels.
        height: Height of them, which the format's fields of view belong to.

    Raises:
        SettingsError: A field is missing or wrong, or the path is for another lens; the message names it.
    """
    lens = get_text(document.get("camera_type", "perspective"), "camera_type")
    if lens.lower() != "perspective":
        raise SettingsError(
            f"'camera_type' is '{lens}', but refined videos are perspective: draw this path with ns-render "
            "camera-path, or save it as Perspective"
        )
    poses, focal, times = [], [], []
    for i, entry in enumerate(get_list(document.get("camera_path"), "camera_path")):
        name = f"camera_path[{i}]"
        frame = get_object(entry, name)
        poses.append(get_matrix(frame.get("camera_to_world"), f"{name}.camera_to_world"))
        fov = get_number(frame.get("fov"), f"{name}.fov", above=0.0)
        if fov >= 180:
            raise SettingsError(f"'{name}.fov' must be below 180 degrees, found {fov:g}")
        focal.append(1 / math.tan(math.radians(fov) / 2))
        if "render_time" in frame:
            times.append(get_number(frame["render_time"], f"{name}.render_time"))
    if not poses:
        raise SettingsError("'camera_path' must have at least one frame")
    if times and len(times) != len(poses):
        raise SettingsError(f"'render_time' is given for {len(times)} of {len(poses)} frames; give it for all or none")
    K = torch.eye(3, dtype=torch.float64).repeat(len(poses), 1, 1)
    K[:, 0, 0] = K[:, 1, 1] = 0.5 * height * torch.tensor(focal, dtype=torch.float64)
    K[:, 0, 2], K[:, 1, 2] = 0.5 * width, 0.5 * height
    cameras = PinholeCameras(opencv_to_opengl(torch.stack(poses)), K, width, height)
    played = torch.tensor(times, dtype=torch.float64) if times else spread_times(len(poses))
    fps = get_number(document["fps"], "fps", above=0.0) if document.get("fps") is not None else None
    return Trajectory(cameras, played, fps=fps)


def _fov_degrees(intrinsics: Tensor | float, count: int, height: int) -> Float64[Tensor, " {count}"]:
    if not isinstance(intrinsics, Tensor):
        return torch.full((count,), float(intrinsics), dtype=torch.float64)
    return vertical_fov(intrinsics, height) if intrinsics.ndim == 3 else intrinsics.to(torch.float64)


def _keyframe(frame: dict[str, Any]) -> dict[str, Any]:
    """The same camera as the render tab keeps it for editing."""
    return {
        "matrix": frame["camera_to_world"],
        "fov": frame["fov"],
        "aspect": frame["aspect"],
        "override_transition_enabled": False,
        "override_transition_sec": None,
        "render_time": frame["render_time"],
        "override_time_enabled": True,
    }


def _spread(count: int) -> list[int]:
    """Positions of the keyframes: evenly spread, both ends included."""
    chosen = min(count, MOST_KEYFRAMES)
    return torch.linspace(0, count - 1, chosen).round().long().tolist()
