"""`ns-neoverse generate`: a finished run and a trajectory in, a refined video out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.cli.applications.video import kept_with
from neoverse_ns.cli.directing import PathFlags
from neoverse_ns.console import say
from neoverse_ns.generate.config import RefinerConfig


def _internal() -> RefinerConfig:
    return RefinerConfig(refiner="internal")


@dataclass
class Generate(PathFlags):
    """Draw a finished run along a new trajectory, let a refiner finish the frames, and write them as a video."""

    load_config: Path
    """The run's folder, or its config.yml, or a folder with a saved scene."""
    trajectory: str
    """A camera move (pan_left, orbit_right, ..., or one that knows the scene, such as 'orbit:degrees=360'; see
    ns-neoverse trajectory make --help), a trajectory file (JSON or npz), a nerfstudio camera path, or cameras of the
    clip in a world of their own: a COLMAP folder, a transforms.json, a TUM file."""
    output: Path
    """The video to write, such as out.mp4."""
    refine: Annotated[RefinerConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=_internal)
    """Which refiner, and how. What it learns is kept in the run's folder `generated` unless --folder names another."""
    negative_prompt: str | None = None
    """What guidance leads away from; short for --wan.negative-prompt."""
    first_frame: bool | None = None
    """Start with the clip's own first frame; by default what a trajectory file says, and with a plain move (pan_left,
    ...) that begins where the clip does; never without a refiner."""
    alpha_threshold: float | None = None
    """Opacity that a pixel must exceed not to be repainted; by default 0.95, and with `wan`, as published, 1, which
    repaints all but the first frame."""
    save_conditions: bool = False
    """Write what the refiner was given beside the video, drawn once more: NAME_render, NAME_mask and NAME_depth."""

    def run(self) -> None:
        """Generate and write.

        Raises:
            SettingsError, RunError, RefinementError, WeightsError: It cannot be done as asked.
        """
        # Nerfstudio takes seconds to import, which checking flags should not cost.
        from neoverse_ns.applications.finish import checked_refiner, finish
        from neoverse_ns.generate.report import write_report
        from neoverse_ns.generate.video import check_output, whole_video, write_condition_videos
        from neoverse_ns.plugin.open_scene import open_scene
        from neoverse_ns.trajectory.save_cameras import write_cameras_beside

        options = self.options()
        check_output(self.output)
        config = self._refiner()
        # What is missing shall be known before anything is loaded or drawn.
        refiner = checked_refiner(config)
        opened = open_scene(self.load_config)
        path = self.size.apply(opened.choose(self.trajectory, options))
        made = finish(
            *(opened.scene, path, config, refiner), alpha_threshold=self.alpha_threshold, first_frame=self.first_frame
        )
        drawn = made.drawn
        with whole_video(self.output, drawn.height, drawn.width, made.fps) as add:
            for piece in made.frames:
                add(piece)
        source = opened.scene.source
        # A scene without one has been refused by now: it has no frames to learn from.
        assert source is not None
        report = write_report(self.output, made, config, source.geometry.report, self.load_config, self.trajectory)
        say(report.time)
        files = [self.output, report.file, write_cameras_beside(self.output, path)]
        if self.save_conditions:
            files += write_condition_videos(self.output, drawn, made.fps, config.wan.window)
        say(f"wrote {', '.join(map(str, files))}: {len(drawn)} frames, {made.fps:g} per second")

    def _refiner(self) -> RefinerConfig:
        """Which refiner; what is learned for a saved scene is not kept, as it may be anybody's."""
        config = self.refine
        if self.negative_prompt is not None:
            config = dataclasses.replace(
                config, wan=dataclasses.replace(config.wan, negative_prompt=self.negative_prompt)
            )
        return kept_with(config, self.load_config)
