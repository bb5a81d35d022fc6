"""`ns-neoverse export`: a finished run as files for other programs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from neoverse_ns.console import say
from neoverse_ns.errors import RunError
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.folders import folder_to_fill

if TYPE_CHECKING:
    from neoverse_ns.export.scene import ExportScene


@dataclass
class Export:
    """Write a finished run's scene as it is shown.

    Of one instant: `ply` for any splat viewer, `glb` (glTF), `spz`. Of the whole clip, as it is shown: `html`, a page
    that plays in a browser; `ply-sequence` for SuperSplat, `4dgs`, `usd`. With all layers and their motion, for
    programs that know what to do with them: `npz`, `ply-4d`. For programs that make splats or meshes of their own:
    `colmap`, frames, refined cameras and points. The camera alone, the clip's or another path's, for Blender, USD and
    others: `cameras`.
    """

    run_config: tyro.conf.Positional[Path]
    """The run's folder, or its config.yml, or a folder with a saved scene."""
    output_dir: Path | None = None
    """Folder to write to, created where needed; by default `exports` in the run's folder."""
    options: Annotated[ExportOptions, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=ExportOptions)
    """Which instants, and how much of them."""
    format: str = "ply"
    """Name of a format; one that there is not gets all of them named."""
    invented: Literal["with", "without", "alone"] = "with"
    """Whether what a refiner made up where nobody saw anything (ns-neoverse extend, multiview, refinement as a stage of
    training) is written, too, left out, or written alone."""

    def run(self) -> None:
        """Load the run and write.

        Raises:
            SettingsError: There is no such format or instant.
            PackageError: The format needs a package that is not installed.
            RunError: The run cannot be loaded, or the folder not written.
        """
        from neoverse_ns.export.registry import export_format
        from neoverse_ns.reconstruct.store import frames_of, is_saved_scene

        # What is wrong with the flags shall not cost the seconds that nerfstudio takes to import.
        chosen = export_format(self.format)
        chosen.check(self.options)
        beside = self.run_config if self.run_config.is_dir() else self.run_config.parent
        saved = is_saved_scene(self.run_config)
        count = frames_of(self.run_config if saved else beside / "scene")
        if count is not None:
            self.options.check_frame(count)
        folder = self.output_dir or beside / "exports"
        scene = _layers(self._scene(saved), self.invented)
        try:
            with folder_to_fill(folder):
                files = chosen.write(scene, self.options, folder)
        except OSError as error:
            raise RunError(f"cannot write to {folder} ({error.strerror or error}): choose another folder") from error
        say(f"wrote {_listed(files)}: {chosen.meaning.partition(': ')[2]}")

    def _scene(self, saved: bool) -> ExportScene:
        """The run's or the saved scene as it stands."""
        if saved:
            from neoverse_ns.plugin.open_scene import open_scene

            return open_scene(self.run_config).scene
        from neoverse_ns.plugin.run import config_of, open_run
        from neoverse_ns.plugin.run_source import export_scene

        return export_scene(*open_run(config_of(self.run_config)).loaded())


def _layers(scene: ExportScene, invented: Literal["with", "without", "alone"]) -> ExportScene:
    """The scene with the layers asked for.

    Raises:
        SettingsError: What was made up is asked for alone, and nothing was.
    """
    from neoverse_ns.errors import SettingsError
    from neoverse_ns.gaussians.layers import INPAINTED

    if invented == "with":
        return scene
    if invented == "without":
        return dataclasses.replace(scene, gaussians=scene.gaussians.without(INPAINTED))
    if INPAINTED not in scene.gaussians:
        raise SettingsError("--invented alone: nothing was made up in this scene")
    return dataclasses.replace(scene, gaussians=scene.gaussians.only(INPAINTED))


def _listed(files: list[Path]) -> str:
    """All of a few files; of many the first and the last."""
    if len(files) <= 6:
        return ", ".join(str(file) for file in files)
    return f"{files[0]} to {files[-1].name} ({len(files)} files)"
