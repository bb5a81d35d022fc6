"""`ns-neoverse trajectory`: camera paths made, checked and drawn on a plan before anything is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from neoverse_ns.cli.directing import Directing
from neoverse_ns.console import CONSOLE, say, warn
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.trajectory.save import Form

if TYPE_CHECKING:
    from neoverse_ns.plugin.open_scene import OpenScene
    from neoverse_ns.trajectory.checks.report import PathReport
    from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass
class Make(Directing):
    """Bind a trajectory to a run and write it to a file, which --trajectory takes everywhere.

    For example: ns-neoverse trajectory make RUN --trajectory 'orbit:degrees=90 + handheld' --output orbit.json
    """

    output: Path = Path("trajectory.json")
    """A .json file, or .npz for arrays (c2w, K, times, fps)."""
    form: Form = "auto"
    """neoverse (JSON), arrays (npz), or nerfstudio: a camera path for ns-render and the viewer's Render tab."""

    def run(self) -> None:
        """Choose and write.

        Raises:
            SettingsError, RunError: It cannot be done as asked.
        """
        options = self.options()
        from neoverse_ns.plugin.open_scene import open_scene
        from neoverse_ns.trajectory.save import save_trajectory

        opened = open_scene(self.run_path)
        trajectory = self.size.apply(opened.choose(self.trajectory, options))
        seconds = float(opened.clip.seconds[-1] - opened.clip.seconds[0])
        save_trajectory(self.output, trajectory, opened.scene.cameras, seconds, opened.world_to_path, self.form)
        say(f"wrote {self.output}: {len(trajectory)} frames")


@dataclass
class Validate(Directing):
    """Check a trajectory against a run: jumps, surfaces it goes through, and how much of its pictures was never seen.

    For example: ns-neoverse trajectory validate RUN --trajectory path.json

    Exit code 0 where it can be used, problems or not; 1 where it cannot.
    """

    def run(self) -> None:
        """Choose, look, and tell.

        Raises:
            SettingsError, RunError: The trajectory cannot be used.
        """
        options = self.options()
        from neoverse_ns.plugin.open_scene import open_scene

        opened = open_scene(self.run_path)
        tell(look(opened, self.size.apply(opened.choose(self.trajectory, options))))


@dataclass
class Preview(Directing):
    """Draw a trajectory over the run's scene: from above, from the side, and frames along it.

    For example: ns-neoverse trajectory preview RUN --trajectory crane --output crane.png
    """

    output: Path = Path("preview.png")
    """The picture to write: .png, .jpg or .webp."""
    check: bool = True
    """Check the path, too, tell what is wrong, and mark it in the picture."""

    def run(self) -> None:
        """Choose, look, and draw.

        Raises:
            SettingsError, RunError: It cannot be done as asked.
        """
        options = self.options()
        if self.output.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
            raise SettingsError(f"--output {self.output} must end in .png, .jpg or .webp")
        from neoverse_ns.plugin.open_scene import open_scene
        from neoverse_ns.render.preview import preview, save_picture

        opened = open_scene(self.run_path)
        scene = opened.scene
        trajectory = self.size.apply(opened.choose(self.trajectory, options))
        report = look(opened, trajectory) if self.check else None
        if report is not None:
            tell(report)
        title = f"{self.trajectory} ({opened.clip.source.name})"
        picture = preview(scene.gaussians, scene.cameras, trajectory, report, opened.background, scene.options, title)
        try:
            save_picture(self.output, picture)
        except OSError as error:
            raise RunError(f"cannot write {self.output} ({error.strerror or error}): choose another place") from error
        say(f"wrote {self.output}")


@dataclass
class Moves:
    """List the moves that know the scene, with their parameters."""

    def run(self) -> None:
        """Print what there is."""
        from neoverse_ns.trajectory.moves.manual import manual

        CONSOLE.print(manual(), highlight=False, markup=False)


@dataclass
class TrajectoryCommand:
    """Make, check or preview a camera path, or list the moves there are."""

    action: tyro.conf.OmitArgPrefixes[
        Annotated[Make, tyro.conf.subcommand(name="make")]
        | Annotated[Validate, tyro.conf.subcommand(name="validate")]
        | Annotated[Preview, tyro.conf.subcommand(name="preview")]
        | Annotated[Moves, tyro.conf.subcommand(name="moves")]
    ]

    def run(self) -> None:
        """Do what was asked for."""
        self.action.run()


def look(opened: OpenScene, trajectory: Trajectory) -> PathReport:
    """Check a trajectory in an open scene."""
    from neoverse_ns.trajectory.checks.check import check_path

    scene = opened.scene
    return check_path(scene.gaussians, scene.cameras, scene.times, trajectory, scene.options)


def tell(report: PathReport) -> None:
    """Print what was found: one line on the whole path, and one for every problem."""
    say(report.summary())
    for problem in report.problems:
        warn(str(problem))
    if not report.problems:
        say("no problem was found")
