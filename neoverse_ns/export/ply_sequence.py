"""A folder of PLY files that a splat editor plays: one instant each, named by number."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.export.gaussian_ply import write_instant
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene

FOLDER, PREFIX = "ply_sequence", "frame"


def write_ply_sequence(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    """Write `ply_sequence/frame0001.ply` and so on, one instant each, as it is shown.

    SuperSplat takes files for a sequence whose names differ in the digits at their end alone, orders them by number,
    and plays them when they are dropped together; how many Gaussians each has may differ. The header of each says which
    second it shows. Columns as of :func:`neoverse_ns.export.gaussian_ply.write_instant`, without normals.

    Returns:
        The files, in order. Others of an earlier sequence are deleted: players would go on with them.

    Raises:
        OSError: The folder cannot be written.
        SettingsError: There are no such instants.
    """
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    files: list[Path] = []
    for time, now in scene.instants(options, "writing a PLY for every instant"):
        files.append(place / f"{PREFIX}{len(files) + 1:04d}.ply")
        comments = [f"normalised time {time:.6g}, second {scene.second_at(time):.6g} of the source"]
        write_instant(files[-1], now, comments, normals=False)
    for old in place.glob(f"{PREFIX}*.ply"):
        if old.stem.removeprefix(PREFIX).isdecimal() and old not in files:
            old.unlink()
    return files
