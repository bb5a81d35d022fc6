"""Trajectories as files: NeoVerse's JSON, arrays, and nerfstudio's camera path; each is read back where names are."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.folders import make_folder
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.camera_path import to_camera_path
from neoverse_ns.trajectory.options import DEFAULT_FPS
from neoverse_ns.trajectory.trajectory import Trajectory, cameras_between

Form = Literal["auto", "neoverse", "arrays", "nerfstudio"]
_EVEN = 1e-9
"""Normalised time by which a moment may be off a straight line and still need no knot of its own."""


def save_trajectory(
    path: Path,
    trajectory: Trajectory,
    cameras: PinholeCameras,
    seconds: float,
    world_to_path: Sim3,
    form: Form = "auto",
) -> None:
    """Write a trajectory.

    Args:
        path: Ends in .json, or .npz for arrays.
        trajectory: In this package's world.
        cameras: The clip's, whose lens the JSON form refers to.
        seconds: Length of the clip.
        world_to_path: From this package's world to that of nerfstudio's camera paths.
        form: `neoverse`, `arrays` or `nerfstudio`; `auto` goes by the name's ending.

    Raises:
        SettingsError: The ending does not fit the form, or the form cannot hold this trajectory.
        RunError: The file cannot be written.
    """
    arrays = path.suffix.lower() == ".npz"
    if path.suffix.lower() not in (".json", ".npz"):
        raise SettingsError(f"{path} must end in .json, or in .npz for arrays")
    if form != "auto" and arrays != (form == "arrays"):
        ending = ".npz" if form == "arrays" else ".json"
        raise SettingsError(f"{path} must end in {ending}: the form '{form}' is written to {ending} files alone")
    if arrays:
        data = _packed(trajectory_arrays(trajectory))
    elif form == "nerfstudio":
        data = _text(nerfstudio_document(trajectory, world_to_path))
    else:
        data = _text(trajectory_document(trajectory, cameras, seconds, path.stem))
    try:
        make_folder(path.parent)
        draft = path.with_name(f".writing-{os.getpid()}-{path.name}")
        draft.write_bytes(data)
        os.replace(draft, path)
    except OSError as error:
        raise RunError(f"cannot write {path} ({error.strerror or error}): choose another place") from error


def trajectory_document(
    trajectory: Trajectory, cameras: PinholeCameras, seconds: float, name: str = "custom"
) -> dict[str, Any]:
    """NeoVerse's JSON form: every frame's matrix in the world, its zoom, the curve of its moments, its subject.

    Args:
        trajectory: At any size.
        cameras: The clip's, whose lens `zooms` multiply.
        seconds: Length of the clip.
        name: Of the trajectory.
    """
    count, fps = len(trajectory), trajectory.fps or DEFAULT_FPS
    at = torch.linspace(0, len(cameras) - 1, count, dtype=torch.float64)
    own = cameras_between(cameras, at).K
    brought = trajectory.resized(cameras.width, cameras.height)
    document = {
        "name": name,
        "mode": "global",
        "num_frames": count,
        "fps": fps,
        "use_first_frame": trajectory.first_frame,
        "unit": "scene",
        "zooms": (brought.K[:, 1, 1].double() / own[:, 1, 1]).tolist(),
        "time": _knots(trajectory.times.double(), seconds, fps),
        "trajectory": {"frame_indices": list(range(count)), "frame_matrices": trajectory.c2w.double().tolist()},
    }
    return document if trajectory.subject is None else document | {"subject": trajectory.subject.to_document()}


def trajectory_arrays(trajectory: Trajectory) -> dict[str, np.ndarray]:
    """`c2w`, `K`, `width`, `height`, `times` and `fps`.

    Raises:
        SettingsError: Its time goes back, which files of cameras cannot say.
    """
    if bool((trajectory.times.diff() < 0).any()):
        raise SettingsError("arrays hold no trajectory whose time goes back: write it as .json")
    cameras = trajectory.cameras
    values = {
        "c2w": cameras.c2w.double().numpy(),
        "K": cameras.K.double().numpy(),
        "width": np.int64(cameras.width),
        "height": np.int64(cameras.height),
        "times": trajectory.times.double().clamp(0, 1).numpy(),
        "fps": np.float64(trajectory.fps or DEFAULT_FPS),
    }
    return {name: np.asarray(value) for name, value in values.items()}


def nerfstudio_document(trajectory: Trajectory, world_to_path: Sim3) -> dict[str, Any]:
    """A camera path for `ns-render camera-path` and the viewer's render tab."""
    cameras = trajectory.cameras
    c2w = world_to_path.apply_c2w(cameras.c2w.double())
    fps = trajectory.fps or DEFAULT_FPS
    return to_camera_path(c2w, cameras.K, trajectory.times, cameras.width, cameras.height, fps)


def _knots(times: Float64[Tensor, " n"], seconds: float, fps: float) -> list[str]:
    """A time curve through every frame's moment; those on a straight line between others are left out."""
    kept = [0] if len(times) == 1 else [0, len(times) - 1]
    bends = times.diff(n=2).abs() > _EVEN
    kept = sorted({*kept, *(i + 1 for i in bends.nonzero()[:, 0].tolist())})
    return [f"{i / fps!r}s:{float(times[i].clamp(0, 1)) * seconds!r}s" for i in kept]


def _text(document: dict[str, Any]) -> bytes:
    return json.dumps(document, allow_nan=False).encode("utf8")


def _packed(arrays: dict[str, Float[np.ndarray, "..."] | np.ndarray]) -> bytes:
    data = io.BytesIO()
    np.savez(data, **arrays)  # pyright: ignore[reportArgumentType]
    return data.getvalue()
