"""A scene as files for other programs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from neoverse_ns.api.runs import SceneLike, shown
from neoverse_ns.errors import RunError
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.folders import folder_to_fill
from neoverse_ns.rasterize.drawing import DrawOptions


def export(
    scene: SceneLike,
    folder: str | Path,
    format: str = "ply",
    options: ExportOptions | None = None,
    *,
    time: float | None = None,
    fps: float | None = None,
    draw_options: DrawOptions | None = None,
) -> list[Path]:
    """Write a scene as it is shown: `ns-neoverse export`.

    Args:
        scene: As reconstructed, optimised or loaded, or a run's folder.
        folder: Where the files go; created where needed.
        format: A name of :data:`neoverse_ns.export.registry.FORMATS`.
        options: Which instants, and how much of them.
        time: Normalised time of a format that holds one instant, instead of the options'.
        fps: Instants a second of a format that moves, instead of the options'.
        draw_options: How the scene is drawn, where it was optimised for other than the default.

    Returns:
        The files and folders written.

    Raises:
        SettingsError: There is no such format or instant, or the format has no use for an option.
        PackageError: The format needs a package that is not installed.
        RunError: The run cannot be loaded, or the folder not written.
    """
    chosen = export_format(format)
    asked = {name: value for name, value in {"time": time, "fps": fps}.items() if value is not None}
    options = dataclasses.replace(options or ExportOptions(), **asked)
    chosen.check(options)
    found, folder = shown(scene, draw_options), Path(folder).expanduser()
    try:
        with folder_to_fill(folder):
            return chosen.write(found, options, folder)
    except OSError as error:
        raise RunError(f"cannot write to {folder} ({error.strerror or error}): choose another folder") from error
