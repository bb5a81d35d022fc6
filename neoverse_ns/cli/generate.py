"""`ns-neoverse generate`: a finished run and a trajectory in, a refined video out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from neoverse_ns.console import say
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.picture_size import PictureSize
from neoverse_ns.trajectory.presets import MoveSize


def _internal() -> RefinerConfig:
    return RefinerConfig(refiner="internal")


@dataclass
class Generate:
    """Draw a finished run along a new trajectory, let a refiner finish the frames, and write them as a video."""

    load_config: Path
    """The run's folder, or its config.yml."""
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
    num_frames: int | None = None
    """Frames of the video; by default what --time takes, else 81 for a move, and a file's own number."""
    duration: float | None = None
    """Seconds from the first to the last frame, instead of --num-frames."""
    fps: float | None = None
    """Frames per second; by default a file's own, else 16. A path with a rate of its own keeps its seconds."""
    time: str | None = None
    """Which moments of the clip are shown when: 'as-filmed', 'freeze@1.5s', 'slow 2x', 'reverse', 'ease', 'ping-pong',
    'fit', moments of video and clip as in '0:0, 2s:1.5s, hold 2s, 6s:0', or frames as in '0-40, 40 x 30, 40-80'."""
    follow: Literal["path", "time"] = "path"
    """What a relative move starts from while --time directs: the clip's own path from start to end, or the clip's
    camera at the moment shown."""
    align_to: str | None = None
    """How cameras of another world are placed: `clip` moves them onto the clip's cameras, `rigid` does so by one
    similarity alone, `none` takes them as they are, and a file of the clip's cameras in that world is brought there in
    their stead. By default `clip` for cameras that say which frames they belong to."""
    zoom: float | None = None
    """Focal length of the last frame over that of the first; by default a file's own, else 1."""
    angle: float = 15.0
    """Degrees of a pan, tilt or orbit."""
    distance: float = 0.1
    """Length of a straight move, in the unit that --unit says."""
    orbit_radius: float = 1.0
    """Distance of the point that an orbit keeps in view, in the same unit."""
    unit: Literal["network", "scene"] = "network"
    """Unit of lengths of plain moves and trajectory files: `scene` is the clip's median depth; `network`, as published,
    that of NeoVerse's network where it found the scene, and the median depth where another reconstructor did."""
    first_frame: bool | None = None
    """Start with the clip's own first frame; by default what a trajectory file says, and with a plain move (pan_left,
    ...) that begins where the clip does; never without a refiner."""
    alpha_threshold: float | None = None
    """Opacity that a pixel must exceed not to be repainted; by default 0.95, and with `wan`, as published, 1, which
    repaints all but the first frame."""
    size: Annotated[PictureSize, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=PictureSize)
    """Of the frames."""
    save_conditions: bool = False
    """Write what the refiner was given beside the video: NAME_render, NAME_mask and NAME_depth."""

    def run(self) -> None:
        """Generate and write.

        Raises:
            SettingsError, RunError, RefinementError, WeightsError: It cannot be done as asked.
        """
        # Nerfstudio takes seconds to import, which checking flags should not cost.
        from neoverse_ns.generate.video import check_output, condition_videos, write_video_whole

        options = self._options()
        options.validate()
        self.size.validate()
        check_output(self.output)
        from neoverse_ns.plugin.generate import generate, kept_in
        from neoverse_ns.plugin.run import config_of, open_run

        run = open_run(self.load_config)
        config = kept_in(self.refine, config_of(self.load_config).absolute().parent)
        if self.negative_prompt is not None:
            config = dataclasses.replace(
                config, wan=dataclasses.replace(config.wan, negative_prompt=self.negative_prompt)
            )
        made = generate(run, self.trajectory, options, config, self.alpha_threshold, self.first_frame, self.size)
        videos = {self.output: made.frames}
        if self.save_conditions:
            beside = condition_videos(made.conditions)
            videos |= {self.output.with_stem(f"{self.output.stem}_{name}"): value for name, value in beside.items()}
        for path, frames in videos.items():
            write_video_whole(path, frames, made.fps)
        say(f"wrote {', '.join(str(path) for path in videos)}: {len(made.frames)} frames, {made.fps:g} per second")

    def _options(self) -> TrajectoryOptions:
        return TrajectoryOptions(
            num_frames=self.num_frames,
            zoom=self.zoom,
            size=MoveSize(self.angle, self.distance, self.orbit_radius),
            time=self.time,
            fps=self.fps,
            duration=self.duration,
            follow=self.follow,
            align_to=self.align_to,
            unit=self.unit,
        )
