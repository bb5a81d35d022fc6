"""Formats that a scene can be exported to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.export.dataset import write_dataset
from neoverse_ns.export.gaussian_ply import write_instant, write_motion
from neoverse_ns.export.scene import ExportScene


@dataclass(frozen=True)
class ExportFormat:
    """How one format is written.

    Attributes:
        meaning: What its files are good for.
        write: Takes the scene, the normalised time of the instant (formats of the whole clip have no use for it) and
            the folder, which exists; returns what it wrote, and raises OSError where it cannot.
    """

    meaning: str
    write: Callable[[ExportScene, float, Path], list[Path]]


def _instant(scene: ExportScene, time: float, folder: Path) -> list[Path]:
    second = float(np.interp(time, scene.times.numpy(), scene.seconds.numpy()))
    comments = [
        f"one instant of a 4D scene: normalised time {time:.6g}, second {second:.6g} of the source",
        "axes: x right, y down, z forward (OpenCV); the first camera is the origin",
    ]
    path = folder / "gaussians.ply"
    write_instant(path, scene.instant(time), comments)
    return [path]


def _motion(scene: ExportScene, time: float, folder: Path) -> list[Path]:
    path = folder / "gaussians_4d.ply"
    write_motion(path, scene.gaussians)
    return [path]


def _dataset(scene: ExportScene, time: float, folder: Path) -> list[Path]:
    if scene.source is None:
        raise RunError("this scene has no frames to write beside its cameras: export it from its run")
    return write_dataset(scene.source, scene.cameras, folder)


FORMATS: dict[str, ExportFormat] = {
    "ply": ExportFormat("gaussians.ply: one instant, for any splat viewer", _instant),
    "ply-4d": ExportFormat("gaussians_4d.ply: all keyframes and layers with their motion, for programs", _motion),
    "colmap": ExportFormat(
        "frames, refined cameras and points: colmap/ opens in COLMAP, Brush, OpenSplat, Postshot and the like, the "
        "folder itself in nerfstudio",
        _dataset,
    ),
}
"""Every format by the name that users give."""


def export_format(name: str) -> ExportFormat:
    """The format called `name`.

    Raises:
        SettingsError: There is none.
    """
    if name not in FORMATS:
        raise SettingsError(f"there is no export format '{name}'; choose from {', '.join(FORMATS)}")
    return FORMATS[name]
