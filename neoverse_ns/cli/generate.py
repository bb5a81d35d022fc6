"""`ns-neoverse generate`: a finished run and a trajectory in, a refined video out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from neoverse_ns.cli.directing import PathFlags
from neoverse_ns.console import say
from neoverse_ns.generate.config import RefinerConfig

if TYPE_CHECKING:
    from neoverse_ns.generate.refine_along import FrameStream
    from neoverse_ns.reconstruct.scene import Scene
    from neoverse_ns.trajectory.options import TrajectoryOptions


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
        from neoverse_ns.generate.report import write_report
        from neoverse_ns.generate.video import check_output, whole_video, write_condition_videos

        options = self.options()
        check_output(self.output)
        made, config, scene = self._made(options)
        drawn = made.drawn
        with whole_video(self.output, drawn.height, drawn.width, made.fps) as add:
            for piece in made.frames:
                add(piece)
        report = write_report(self.output, made, config, scene.geometry.report, self.load_config, self.trajectory)
        say(report.time)
        files = [self.output, report.file]
        if self.save_conditions:
            files += write_condition_videos(self.output, drawn, made.fps, config.wan.window)
        say(f"wrote {', '.join(map(str, files))}: {len(drawn)} frames, {made.fps:g} per second")

    def _made(self, options: TrajectoryOptions) -> tuple[FrameStream, RefinerConfig, Scene]:
        """Frames to be taken; what is learned for a saved scene is not kept, as it may be anybody's."""
        from neoverse_ns.reconstruct.store import is_saved_scene

        config = self.refine
        if self.negative_prompt is not None:
            config = dataclasses.replace(
                config, wan=dataclasses.replace(config.wan, negative_prompt=self.negative_prompt)
            )
        if is_saved_scene(self.load_config):
            return self._of_saved_scene(options, config)
        from neoverse_ns.plugin.generate import kept_in, stream
        from neoverse_ns.plugin.run import config_of, open_run

        run = open_run(self.load_config)
        config = kept_in(config, config_of(self.load_config).absolute().parent)
        made = stream(run, self.trajectory, options, config, self.alpha_threshold, self.first_frame, self.size)
        return made.stream, config, made.scene

    def _of_saved_scene(
        self, options: TrajectoryOptions, config: RefinerConfig
    ) -> tuple[FrameStream, RefinerConfig, Scene]:
        from neoverse_ns.applications.finish import checked_refiner, source_of
        from neoverse_ns.generate.refine_along import stream_along
        from neoverse_ns.plugin.open_scene import open_scene

        refiner, opened = checked_refiner(config), open_scene(self.load_config)
        path = self.size.apply(opened.choose(self.trajectory, options))
        scene, everything = opened.scene, opened.scene.gaussians.detach()
        source = source_of(scene, everything)
        assert scene.source is not None
        made = stream_along(refiner, source, everything, path, config, self.alpha_threshold, self.first_frame)
        return made, config, scene.source
