"""`ns-neoverse superres`: the clip in two or four times as many pixels along each side."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.applications.superres.config import SuperresConfig
from neoverse_ns.cli.applications.video import FinishFlags, SceneFlags
from neoverse_ns.console import say


@dataclass(kw_only=True)
class Superres(FinishFlags, SceneFlags):
    """Enlarge a clip: every frame gets what its neighbours saw between its pixels, where the scene says they lie.

    What comes out reproduces the clip when it is made small again. It is never worse than bicubic enlargement as far as
    the clip can tell: the same is tried one size down first, and so much of the detail is kept as proves true.

    For example, twice as many pixels along each side:

    ns-neoverse superres RUN --scale 2 --output big.mp4

    With the video model, which paints detail that no frame saw, and is held to what they saw:

    ns-neoverse superres RUN --scale 2 --output big.mp4 --refiner wan --wan.model DIR
    """

    output: Path
    """The video to write, such as big.mp4."""
    how: Annotated[SuperresConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=SuperresConfig)
    """How much larger, and how."""

    def run(self) -> None:
        """Enlarge and write.

        Raises:
            SettingsError, RunError, RefinementError, WeightsError: It cannot be done as asked.
        """
        self.how.validate()
        from neoverse_ns.applications.finish import checked_refiner
        from neoverse_ns.generate.video import check_output, write_video_whole

        check_output(self.output)
        config = self.kept(self.run_path)
        refiner = checked_refiner(config)
        from neoverse_ns.applications.superres.enlarge import enlarge_clip
        from neoverse_ns.plugin.open_scene import open_scene
        from neoverse_ns.trajectory.options import DEFAULT_FPS

        made = enlarge_clip(open_scene(self.run_path).scene, self.how, config, refiner)
        write_video_whole(self.output, made.frames, made.fps or DEFAULT_FPS)
        height, width = made.frames.shape[1:3]
        say(f"wrote {self.output}: {len(made.frames)} frames of {width}x{height}, {self.how.scale} times the clip's")
