"""Formats that a scene can be exported to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from neoverse_ns.console import warn
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.export.needs import FOURDGS, GSPLY, USD, Need, check_needs
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene

Write = Callable[[ExportScene, ExportOptions, Path], list[Path]]

INSTANT = ("time", "frame", "max_gaussians")
"""Options of formats that hold one instant."""
CLIP = ("fps", "every", "max_gaussians")
"""Options of formats that move."""
UP = ("up",)
"""Of formats whose axes may be chosen."""


@dataclass(frozen=True)
class ExportFormat:
    """How one format is written.

    Attributes:
        meaning: What its files are good for.
        write: Takes the scene, the options and the folder, which exists; returns what it wrote, and raises OSError
            where it cannot, SettingsError where the scene has no such instant.
        takes: Names of the :class:`~neoverse_ns.export.options.ExportOptions` that change what is written.
        needs: Packages beyond those of this one.
    """

    meaning: str
    write: Write
    takes: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()

    def check(self, options: ExportOptions) -> None:
        """Find out what would go wrong, before a run is loaded or anything drawn.

        Raises:
            PackageError: A package is missing.
            SettingsError: An option is out of range, or this format has no use for it.
        """
        name = next((name for name, known in FORMATS.items() if known is self), "?")
        check_needs(name, self.needs)
        options.validate()
        untouched = ExportOptions()
        for option, value in vars(options).items():
            if value != getattr(untouched, option) and option not in self.takes:
                raise SettingsError(
                    f"export format '{name}' has no use for --{option.replace('_', '-')}"
                    + (f"; it takes --{', --'.join(self.takes).replace('_', '-')}" if self.takes else "")
                )


def _instant(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    from neoverse_ns.export.gaussian_ply import write_instant

    time = options.among(scene.times)
    comments = [
        f"one instant of a 4D scene: normalised time {time:.6g}, second {scene.second_at(time):.6g} of the source",
        "axes: x right, y down, z forward (OpenCV); the first camera is the origin",
    ]
    path, now = folder / "gaussians.ply", scene.instant(time, options.max_gaussians)
    if not len(now.means):
        warn(f"nothing is visible at time {time:.3g}: {path.name} holds no Gaussian")
    write_instant(path, now, comments)
    return [path]


def _motion(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    from neoverse_ns.export.gaussian_ply import write_motion

    path = folder / "gaussians_4d.ply"
    write_motion(path, scene.gaussians)
    return [path]


def _dataset(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    from neoverse_ns.export.dataset import write_dataset

    if scene.source is None:
        raise RunError("this scene has no frames to write beside its cameras: export it from its run")
    return write_dataset(scene.source, scene.cameras, folder)


def _page(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
    from neoverse_ns.export.page.page import write_page

    path = folder / "scene.html"
    write_page(path, scene, scene.title, options.max_gaussians)
    return [path]


def _written_by(module: str, name: str) -> Write:
    """A writer that is imported when it is called.

    Args:
        module: Below :mod:`neoverse_ns.export`.
        name: Of the function in it.
    """

    def write(scene: ExportScene, options: ExportOptions, folder: Path) -> list[Path]:
        return getattr(import_module(f"neoverse_ns.export.{module}"), name)(scene, options, folder)

    return write


_sequence = _written_by("ply_sequence", "write_ply_sequence")
_npz = _written_by("motion_npz", "write_motion_npz")
_fourdgs = _written_by("fourdgs.write", "write_fourdgs")
_usd = _written_by("usd.write", "write_usd")
_glb = _written_by("glb", "write_glb")
_spz = _written_by("spz", "write_spz_instant")
_cameras = _written_by("cameras.write", "write_cameras")


FORMATS: dict[str, ExportFormat] = {
    "ply": ExportFormat("gaussians.ply: one instant, for any splat viewer", _instant, INSTANT),
    "glb": ExportFormat("gaussians.glb: one instant, glTF with KHR_gaussian_splatting", _glb, INSTANT),
    "spz": ExportFormat("gaussians.spz: one instant, compressed", _spz, INSTANT, (GSPLY,)),
    "ply-sequence": ExportFormat("ply_sequence/: an instant a file, which SuperSplat plays", _sequence, CLIP),
    "4dgs": ExportFormat("scene.4dgs: the whole clip in one small file", _fourdgs, CLIP + UP, (FOURDGS,)),
    "usd": ExportFormat("scene.usdc: the whole clip with its camera, a sample an instant", _usd, CLIP + UP, (USD,)),
    "npz": ExportFormat("scene_4d.npz: all keyframes and layers with their motion, for NumPy", _npz),
    "ply-4d": ExportFormat("gaussians_4d.ply: all keyframes and layers with their motion, for programs", _motion),
    "html": ExportFormat("scene.html: opens in a browser and plays, from any side", _page, ("max_gaussians",)),
    "cameras": ExportFormat(
        "cameras/: the camera alone, for Blender, USD, nerfstudio, COLMAP, TUM and as JSON",
        _cameras,
        ("fps", "every", "up", "trajectory"),
    ),
    "colmap": ExportFormat(
        "frames, refined cameras and points: colmap/ opens in COLMAP, Brush, OpenSplat, Postshot and the like, the "
        "folder itself in nerfstudio",
        _dataset,
    ),
}
"""Every format by the name that users give. Writers are imported when they are called: plugins list formats, too."""


def export_format(name: str) -> ExportFormat:
    """The format called `name`.

    Raises:
        SettingsError: There is none.
    """
    if name not in FORMATS:
        raise SettingsError(f"there is no export format '{name}'; choose from {', '.join(FORMATS)}")
    return FORMATS[name]
