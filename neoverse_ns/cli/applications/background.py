"""`ns-neoverse background`: the clip without what moves, as video, picture and Gaussians."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from neoverse_ns.applications.background.config import BackgroundConfig
from neoverse_ns.cli.applications.video import FinishFlags, SceneFlags
from neoverse_ns.cli.directing import PathFlags
from neoverse_ns.console import say, warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.config import RefinerConfig

if TYPE_CHECKING:
    from neoverse_ns.applications.background.extract import Background
    from neoverse_ns.export.scene import ExportScene
    from neoverse_ns.trajectory.trajectory import Trajectory

VIDEOS, PICTURES, SCENES = (".mp4", ".mkv", ".mov", ".avi"), (".png", ".jpg"), (".ply",)
MUCH = 0.02
"""Share of what was never seen from which on the user is warned."""


def _telea() -> RefinerConfig:
    return RefinerConfig(refiner="telea")


@dataclass(kw_only=True)
class BackgroundCommand(PathFlags, FinishFlags, SceneFlags):
    """Take what moves out of a clip, and show what stood behind it: other frames saw it.

    Pixels are the clip's own wherever some frame saw the place uncovered. The command says how much none did; there
    the scene's still Gaussians are shown, and where not even they know, what the refiner paints.

    For example, the clip as it was filmed, without its movers, and its Gaussians for a splat viewer:

    ns-neoverse background RUN --output empty.mp4 empty.ply

    One wide picture of all that the camera passed:

    ns-neoverse background RUN --output yard.png --wide

    A new path through the empty scene, finished by the video model:

    ns-neoverse background RUN --output orbit.mp4 --trajectory orbit_right --refiner wan --wan.model DIR
    """

    output: tuple[Path, ...]
    """One or more files: a video (.mp4, .mkv, .mov, .avi), a picture (.png, .jpg), the still Gaussians (.ply)."""
    trajectory: str | None = None
    """Camera of the video and the picture, as ns-neoverse render takes it; by default the clip's own."""
    frame: int | None = None
    """Which frame the picture shows, counted from 0; by default the middle one."""
    wide: bool = False
    """Let the picture show all that the camera passed, from where it was in the middle of its path."""
    choose: Annotated[BackgroundConfig, tyro.conf.arg(name="", prefix_name=False)] = field(
        default_factory=BackgroundConfig
    )
    """Which pixels are trusted."""
    refine: Annotated[RefinerConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=_telea)
    """Who paints what was never seen, and how."""

    def run(self) -> None:
        """Look, put together, and write.

        Raises:
            SettingsError, RunError, RefinementError, WeightsError: It cannot be done as asked.
        """
        options = self.options()
        self.choose.validate()
        videos, pictures, scenes = (self._ending(endings) for endings in (VIDEOS, PICTURES, SCENES))
        self._check(len(videos) + len(pictures) + len(scenes))
        from neoverse_ns.applications.finish import checked_refiner
        from neoverse_ns.generate.video import check_output

        for path in videos:
            check_output(path)
        config = self.kept(self.run_path)
        refiner = checked_refiner(config)
        from neoverse_ns.applications.background.extract import extract_background
        from neoverse_ns.plugin.open_scene import open_scene

        opened = open_scene(self.run_path)
        path = opened.scene.as_filmed if self.trajectory is None else opened.choose(self.trajectory, options)
        path = self.size.apply(path)
        made = None
        if videos:
            made = extract_background(opened.scene, path, self.choose, config, refiner)
            self._write_videos(videos, made)
        if pictures:
            still = self._still_path(opened.scene, path)
            made = extract_background(opened.scene, still, self.choose, config, refiner)
            self._write_pictures(pictures, made, "" if self.wide else f", frame {self._number(path)} of {len(path)}")
        if scenes:
            self._write_scenes(scenes, opened.scene, made)
        if made is not None:
            tell_unseen(made, opened.scene)

    def _ending(self, endings: tuple[str, ...]) -> list[Path]:
        return [path for path in self.output if path.suffix.lower() in endings]

    def _check(self, known: int) -> None:
        """Whether there is something to write, of kinds that there are."""
        endings = ", ".join((*VIDEOS, *PICTURES, *SCENES))
        if not self.output or known < len(self.output):
            raise SettingsError(f"--output must name files that end in one of {endings}, got {self.output or 'none'}")
        if (self.frame is not None or self.wide) and not self._ending(PICTURES):
            raise SettingsError("--frame and --wide are about a picture: name one (.png) after --output")
        if self.frame is not None and self.wide:
            raise SettingsError("--wide shows what all frames saw: leave --frame out")

    def _still_path(self, scene: ExportScene, path: Trajectory) -> Trajectory:
        """The one camera of the picture."""
        from neoverse_ns.applications.background.wide import wide_camera
        from neoverse_ns.trajectory.trajectory import Trajectory

        number = self._number(path)
        if not self.wide:
            return path[[number]]
        depth = 1.0 if scene.source is None else float(scene.source.geometry.depth.median())
        return Trajectory(wide_camera(path.cameras, depth), path.times[[number]], fps=path.fps)

    def _number(self, path: Trajectory) -> int:
        """Of the frame that the picture shows, unless it shows all."""
        number = len(path) // 2 if self.frame is None else self.frame
        if not 0 <= number < len(path):
            raise SettingsError(f"--frame must be 0 to {len(path) - 1}, got {number}")
        return number

    def _write_videos(self, videos: list[Path], made: Background) -> None:
        from neoverse_ns.generate.video import write_video_whole
        from neoverse_ns.trajectory.options import DEFAULT_FPS

        for path in videos:
            write_video_whole(path, made.frames, made.fps or DEFAULT_FPS)
        say(f"wrote {_names(videos)}: {len(made.frames)} frames without what moves")

    def _write_pictures(self, pictures: list[Path], made: Background, which: str) -> None:
        import cv2

        from neoverse_ns.render.writers import told

        picture = made.frames[0].numpy()[..., ::-1]
        for path in pictures:
            with told(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        say(f"wrote {_names(pictures)}: {size} pixels without what moves{which}")

    def _write_scenes(self, scenes: list[Path], scene: ExportScene, made: Background | None) -> None:
        from neoverse_ns.applications.background.file import write_still
        from neoverse_ns.applications.background.still import still_scene
        from neoverse_ns.applications.witnesses import Witnesses

        still = still_scene(scene, Witnesses.of(scene)) if made is None else made.gaussians
        for path in scenes:
            count = write_still(path, still, scene)
            movers = _left_out(scene) if made is None else ""
            say(f"wrote {path}: {movers}{count:,} Gaussians that stand still, for any splat viewer")


def _names(paths: list[Path]) -> str:
    return ", ".join(str(path) for path in paths)


def _left_out(scene: ExportScene) -> str:
    """What was left out, where things were told apart."""
    from neoverse_ns.applications.edit.selection.things import list_things

    if scene.source is None or scene.source.geometry.things is None:
        return ""
    count = len(list_things(scene))
    return f"{count} moving thing{'' if count == 1 else 's'} left out; "


def tell_unseen(made: Background, scene: ExportScene) -> None:
    """Say what was left out, how much of the pictures no frame ever saw, and who answers for it."""
    drawn = float((made.known & ~made.seen).double().mean())
    line = (
        f"{_left_out(scene)}{made.unseen:.1%} of the pictures no frame saw uncovered: "
        f"{drawn:.1%} as the still Gaussians show it, {max(made.unseen - drawn, 0):.1%} made up"
    )
    if made.unseen > MUCH:
        hint = "; ns-neoverse edit RUN --list-things shows what was taken for moving" if _left_out(scene) else ""
        warn(line + hint)
    else:
        say(line)
