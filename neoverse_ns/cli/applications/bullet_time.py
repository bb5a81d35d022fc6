"""`ns-neoverse bullet-time`: one instant from a moving camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.applications.bullet_time.config import BulletTimeConfig
from neoverse_ns.cli.applications.video import FinishFlags, SceneFlags
from neoverse_ns.console import say
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.picture_size import PictureSize


@dataclass
class BulletTime(FinishFlags, SceneFlags):
    """Freeze a moment of the clip and move the camera through it.

    For example, three seconds of circling what moves, 1.5 seconds into the clip:

    ns-neoverse bullet-time RUN --at 1.5s --trajectory orbit:degrees=25 --duration 3 --output frozen.mp4

    The clip plays, freezes while the camera goes round and comes back, and plays on:

    ns-neoverse bullet-time RUN --at 1.5s --play-around --refiner internal --output matrix.mp4

    Any other course of time is for --time of ns-neoverse render and generate.
    """

    frozen: Annotated[BulletTimeConfig, tyro.conf.arg(name="", prefix_name=False)] = field(
        default_factory=BulletTimeConfig
    )
    """Which moment, and how the camera moves."""
    num_frames: int | None = None
    """Frames of the move, 81 by default; with --play-around those of the way there."""
    duration: float | None = None
    """Seconds of the move, instead of --num-frames."""
    fps: float | None = None
    """Frames per second, 16 by default."""
    size: Annotated[PictureSize, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=PictureSize)
    """Of the pictures."""
    output: Path = Path("bullet_time.mp4")
    """The video to write."""

    def run(self) -> None:
        """Freeze, draw, and write.

        Raises:
            SettingsError, RunError, RefinementError, WeightsError: It cannot be done as asked.
        """
        self.frozen.validate()
        self.size.validate()
        options = TrajectoryOptions(num_frames=self.num_frames, duration=self.duration, fps=self.fps)
        options.validate()
        from neoverse_ns.applications.finish import checked_refiner
        from neoverse_ns.generate.video import check_output, write_video_whole

        check_output(self.output)
        checked_refiner(self.refine)
        from neoverse_ns.applications.bullet_time.frozen import bullet_time
        from neoverse_ns.cli.render import tell_unseen
        from neoverse_ns.plugin.open_scene import open_scene

        opened = open_scene(self.run_path)
        made = bullet_time(
            *(opened.scene, self.frozen, options, self.kept(self.run_path), self.size, opened.background),
            opened.path_to_world,
        )
        write_video_whole(self.output, made.frames, made.fps)
        if made.unseen:
            tell_unseen(made.unseen)
        moment = float(made.trajectory.times[made.frozen.start])
        when = opened.scene.second_at(moment) - float(opened.scene.seconds[0])
        say(
            f"wrote {self.output}: {len(made.frames)} frames, {made.fps:g} per second, {len(made.frozen)} of them at "
            f"{when:.3g} s of the clip"
        )
