"""Flags that direct camera and time, shared by the commands that take a trajectory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.picture_size import PictureSize
from neoverse_ns.trajectory.presets import MoveSize


@dataclass(kw_only=True)
class PathFlags:
    """What may be asked for on top of a trajectory's name."""

    num_frames: int | None = None
    """Frames of the path; by default what --time takes, else 81 for a move, and a file's own number. A file's own time
    curve is stretched with its path."""
    duration: float | None = None
    """Seconds from the first to the last frame, instead of --num-frames."""
    fps: float | None = None
    """Frames per second; by default a file's own, else 16. A path with a rate of its own keeps its seconds, and so
    does its time curve."""
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
    """Degrees of a pan, tilt, orbit_left or orbit_right."""
    distance: float = 0.1
    """Length of a straight move, in the unit that --unit says."""
    orbit_radius: float = 1.0
    """Distance of the point that orbit_left and orbit_right keep in view, in the same unit."""
    unit: Literal["network", "scene"] = "network"
    """Unit of lengths of plain moves and trajectory files: `scene` is the clip's median depth; `network`, as published,
    that of NeoVerse's network where it found the scene, and the median depth where another reconstructor did."""
    size: Annotated[PictureSize, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=PictureSize)
    """Of the pictures."""

    def options(self) -> TrajectoryOptions:
        """What is asked for on top of the trajectory's name.

        Raises:
            SettingsError: A value is out of range.
        """
        options = TrajectoryOptions(
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
        options.validate()
        self.size.validate()
        return options


@dataclass
class Directing(PathFlags):
    """A scene, a path of its camera, and which moments are shown when."""

    run_path: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
    """A run's folder or its config.yml, or a folder with a saved reconstruction."""
    trajectory: str
    """A camera move (pan_left, orbit_right, ...); moves that know the scene, as in 'orbit:degrees=360',
    'dolly_zoom:travel=0.4', 'look_at:thing=1', 'smooth' (ns-neoverse trajectory moves lists them), which in a row, as
    in 'crane:rise=0.3 + handheld:seed=3', act together over all frames, each on what the one before left; a trajectory
    file (JSON or npz); a nerfstudio camera path; or cameras of the clip in a world of their own: a COLMAP folder, a
    transforms.json, a TUM file."""
