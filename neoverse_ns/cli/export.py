"""`ns-neoverse export`: a finished run as files for other programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.console import say
from neoverse_ns.errors import RunError
from neoverse_ns.export.moment import Moment


@dataclass
class Export:
    """Write a finished run's scene as it is shown, in the world of the clip's first camera (OpenCV axes).

    `ply` writes gaussians.ply, the instant asked for, for any splat viewer; `ply-4d` writes gaussians_4d.ply, all
    keyframes and layers with their motion, for programs that know what to do with them; `colmap` writes frames, refined
    cameras and points for programs that make splats or meshes of their own.
    """

    run_config: tyro.conf.Positional[Path]
    """The run's config.yml, or its folder."""
    output_dir: Path
    """Folder to write to; created where needed."""
    moment: Annotated[Moment, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=Moment)
    """Which instant."""
    format: str = "ply"
    """ply, ply-4d or colmap."""

    def run(self) -> None:
        """Load the run and write.

        Raises:
            SettingsError: There is no such format or instant.
            RunError: The run cannot be loaded, or the folder not written.
        """
        from neoverse_ns.export.registry import export_format

        # What is wrong with the flags shall not cost the seconds that nerfstudio takes to import.
        chosen = export_format(self.format)
        self.moment.validate()
        from neoverse_ns.plugin.run import open_run
        from neoverse_ns.plugin.run_source import export_scene

        config = self.run_config / "config.yml" if self.run_config.is_dir() else self.run_config
        model, source = open_run(config).loaded()
        scene = export_scene(model, source)
        time = self.moment.among(scene.times)
        try:
            self.output_dir.mkdir(parents=True, exist_ok=True)
            files = chosen.write(scene, time, self.output_dir)
        except OSError as error:
            raise RunError(
                f"cannot write to {self.output_dir} ({error.strerror or error}): choose another folder"
            ) from error
        say(f"wrote {', '.join(str(file) for file in files)}: {chosen.meaning.partition(': ')[2]}")
