"""`ns-neoverse generate`: a finished run and a trajectory in, a refined video out."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.console import say
from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.trajectory.presets import MoveSize


def _internal() -> RefinerConfig:
    return RefinerConfig(refiner="internal")


@dataclass
class Generate:
    """Draw a finished run along a new trajectory, let a refiner finish the frames, and write them as a video."""

    load_config: Path
    """The run's config.yml."""
    trajectory: str
    """A camera move (pan_left, orbit_right, ...), a trajectory file (JSON), or a nerfstudio camera path (JSON)."""
    output: Path
    """The video to write, such as out.mp4."""
    refine: Annotated[RefinerConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=_internal)
    """Which refiner, and how. What it learns is kept in the run's folder `generated` unless --folder names another."""
    negative_prompt: str | None = None
    """What guidance leads away from; short for --wan.negative-prompt."""
    num_frames: int | None = None
    """Frames of the video; by default 81 for a move, and a file's own number."""
    fps: float = 16.0
    """Frames per second."""
    zoom: float | None = None
    """Focal length of the last frame over that of the first; by default a file's own, else 1."""
    angle: float = 15.0
    """Degrees of a pan, tilt or orbit."""
    distance: float = 0.1
    """Length of a straight move, in units of the clip's median depth."""
    orbit_radius: float = 1.0
    """Distance of the point that an orbit keeps in view, in the same units."""
    first_frame: bool | None = None
    """Start with the clip's own first frame; by default what a trajectory file says, else no."""
    alpha_threshold: float = 0.95
    """Opacity below which a pixel is repainted; 1 repaints whatever is not fully opaque."""
    save_conditions: bool = False
    """Write what the refiner was given beside the video: NAME_render, NAME_mask and NAME_depth."""

    def run(self) -> None:
        """Generate and write.

        Raises:
            SettingsError, RunError, RefinementError, WeightsError: It cannot be done as asked.
        """
        # Nerfstudio takes seconds to import, which checking flags should not cost.
        from neoverse_ns.generate.video import check_output, condition_videos, write_video_whole
        from neoverse_ns.trajectory.choose import TrajectoryOptions

        if not (math.isfinite(self.fps) and self.fps > 0):
            raise SettingsError(f"fps must be a finite number above 0, got {self.fps}")
        options = TrajectoryOptions(self.num_frames, self.zoom, MoveSize(self.angle, self.distance, self.orbit_radius))
        options.validate()
        check_output(self.output)
        from neoverse_ns.plugin.generate import generate, kept_in
        from neoverse_ns.plugin.run import open_run

        run = open_run(self.load_config)
        config = kept_in(self.refine, self.load_config.absolute().parent)
        if self.negative_prompt is not None:
            config = dataclasses.replace(
                config, wan=dataclasses.replace(config.wan, negative_prompt=self.negative_prompt)
            )
        made = generate(run, self.trajectory, options, config, self.alpha_threshold, self.first_frame)
        videos = {self.output: made.frames}
        if self.save_conditions:
            beside = condition_videos(made.conditions)
            videos |= {self.output.with_stem(f"{self.output.stem}_{name}"): value for name, value in beside.items()}
        for path, frames in videos.items():
            write_video_whole(path, frames, self.fps)
        say(f"wrote {', '.join(str(path) for path in videos)}: {len(made.frames)} frames, {self.fps:g} per second")
