"""`ns-neoverse extend`: a scene that grows by what is made up along trajectories."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.applications.extend.config import GrowConfig
from neoverse_ns.cli.applications.video import FinishFlags, SceneFlags
from neoverse_ns.cli.directing import PathFlags
from neoverse_ns.console import say
from neoverse_ns.generate.config import RefinerConfig


def _internal() -> RefinerConfig:
    return RefinerConfig(refiner="internal")


@dataclass(kw_only=True)
class Extend(PathFlags, FinishFlags, SceneFlags):
    """Look where the clip never did, finish what is open there, and keep that as part of the scene.

    For example, the world to the left and to the right of the picture, the second pan going on from the first's scene:

    ns-neoverse extend RUN --trajectory pan_left pan_right --angle 30 --num-frames 25 --output wider

    Writes a video per trajectory, NAME_invented.mp4, white where it shows what nobody saw, and the grown scene, which
    ns-neoverse render, trajectory, export, multiview and extend open:

    ns-neoverse render wider/scene --trajectory pan_left --angle 20 --output pan.mp4

    The same without what was made up, or that alone:

    ns-neoverse export wider/scene --invented without

    What the clip showed is drawn as before; what is made up lies behind it, and stands still.
    """

    trajectory: tuple[str, ...]
    """Camera moves, or files of trajectories or camera paths, one after the other; see ns-neoverse render --help."""
    output: Path
    """Folder to write to, new or empty; or the one whose scene RUN is, which then grows on, its videos kept."""
    grow: Annotated[GrowConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=GrowConfig)
    """How finished views become part of the scene."""
    first_frame: bool | None = None
    """Start with the clip's own first frame; by default what a trajectory says; see ns-neoverse generate --help."""
    refine: Annotated[RefinerConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=_internal)
    """Who finishes the views, and how. What it learns is kept in the run's folder `generated` unless --folder names
    another."""

    def run(self) -> None:
        """Open, grow, and write.

        Raises:
            SettingsError, RunError, RefinementError, WeightsError: It cannot be done as asked.
        """
        options = self.options()
        from neoverse_ns.applications.extend.files import check_output_folder, next_number, save_grown, write_views
        from neoverse_ns.applications.extend.grow import grow
        from neoverse_ns.applications.finish import checked_refiner
        from neoverse_ns.errors import SettingsError

        if not self.trajectory:
            raise SettingsError("give at least one --trajectory")
        if self.refine.refiner == "none":
            raise SettingsError(
                "--refiner none makes nothing up that a scene could grow by: use internal, telea or wan"
            )
        self.grow.validate()
        check_output_folder(self.output, self.run_path)
        config = self.kept(self.run_path)
        refiner = checked_refiner(config)
        from neoverse_ns.plugin.open_scene import open_scene

        opened = open_scene(self.run_path)
        paths = {
            view_name(number, name): self.size.apply(opened.choose(name, options))
            for number, name in enumerate(self.trajectory, next_number(self.output))
        }
        grown = grow(opened.scene, paths, config, self.grow, refiner, self.first_frame)
        files = write_views(grown, self.output)
        saved = save_grown(grown.scene, self.output)
        added = sum(view.added for view in grown.views.values())
        say(f"wrote {', '.join(str(path) for path in files.values())} and {saved}: {added:,} new Gaussians")


def view_name(number: int, trajectory: str) -> str:
    """A file's name for a trajectory: its number, and what can be read of its own name."""
    told = Path(trajectory).stem if Path(trajectory).suffix else trajectory
    return f"{number}_{re.sub('[^A-Za-z0-9]+', '_', told).strip('_')[:40]}"
