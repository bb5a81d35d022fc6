"""The camera that is exported, frame by frame: the clip's own, or one that flies another path."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.export.axes import TURNS
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.camera_path import opencv_to_opengl
from neoverse_ns.trajectory.choose import choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.foreign.entry import PATH_PREFIX
from neoverse_ns.trajectory.options import DEFAULT_FPS, TrajectoryOptions
from neoverse_ns.trajectory.trajectory import cameras_between, frames_at

STILL_FPS = 24.0
"""Frames a second of what has one frame alone."""


@dataclass(frozen=True)
class CameraTrack:
    """A camera that moves.

    Attributes:
        cameras: One per frame, OpenCV axes, in this package's world, float64.
        times: Normalised time of the scene that each frame shows.
        seconds: When each frame is shown: of the clip's own in the source, of another path from 0.
        fps: Frames a second at which it plays as it should.
        names: File name of every frame's picture: of the clip's own, or saying that it is no frame of the clip.
        frame_indices: Position of every frame in the source; None where they are no frames of it, or that is unknown.
        flown: Whether it is another path than the clip's own, in another video.
    """

    cameras: PinholeCameras
    times: Float64[Tensor, " n"]
    seconds: Float64[Tensor, " n"]
    fps: float
    names: tuple[str, ...]
    frame_indices: tuple[int, ...] | None = None
    flown: bool = False

    def __len__(self) -> int:
        return len(self.cameras)

    @property
    def of_clip(self) -> bool:
        """Whether they are frames of the clip."""
        return not self.names[0].startswith(PATH_PREFIX)

    def opengl_z_up(self) -> Float64[Tensor, "n 4 4"]:
        """Camera-to-world with axes right, up, backward, in the world that nerfstudio shows a run in, and Blender's.

        The first camera of a clip looks along +y there.
        """
        turn = Sim3(torch.ones((), dtype=torch.float64), TURNS["z"].double(), torch.zeros(3, dtype=torch.float64))
        return opencv_to_opengl(turn.apply_c2w(self.cameras.c2w))


def camera_track(scene: ExportScene, options: ExportOptions) -> CameraTrack:
    """The camera that the options ask for.

    Raises:
        SettingsError: There is no such trajectory, or there are no such instants.
    """
    return _clips_own(scene, options) if options.trajectory is None else _along(scene, options, options.trajectory)


def _clips_own(scene: ExportScene, options: ExportOptions) -> CameraTrack:
    times = torch.tensor(options.instants(scene.times, scene.seconds), dtype=torch.float64)
    at = frames_at(scene.times, times)
    seconds = torch.tensor([scene.second_at(time) for time in times.tolist()], dtype=torch.float64)
    length = float(seconds[-1] - seconds[0])
    fps = options.fps or ((len(times) - 1) / length if length > 0 else STILL_FPS)
    cameras = cameras_between(scene.cameras, at)
    if options.fps is not None:
        return CameraTrack(cameras, times, seconds, fps, _path_names(len(times)))
    frames = range(0, len(scene.times), options.every or 1)
    if scene.source is None:
        return CameraTrack(cameras, times, seconds, fps, tuple(f"frame_{frame:05d}.png" for frame in frames))
    names = tuple(scene.source.frame_file(frame).name for frame in frames)
    numbers = scene.source.clip.frame_indices
    return CameraTrack(cameras, times, seconds, fps, names, tuple(int(numbers[frame]) for frame in frames))


def _along(scene: ExportScene, options: ExportOptions, name: str) -> CameraTrack:
    back = Sim3(torch.ones((), dtype=torch.float64), TURNS["z"].double().mT, torch.zeros(3, dtype=torch.float64))
    clip = None if scene.source is None else ClipFrames.of(scene.source.clip)
    wanted = TrajectoryOptions(fps=options.fps)
    path = choose_trajectory(
        name, scene.cameras, scene.times, back, wanted, clip, scene.surroundings, scene.network_unit
    )
    path = path[:: options.every or 1]
    fps = (path.fps or DEFAULT_FPS) / (options.every or 1)
    cameras = PinholeCameras(path.c2w.double(), path.K.double(), path.cameras.width, path.cameras.height)
    seconds = torch.arange(len(path), dtype=torch.float64) / fps
    return CameraTrack(cameras, path.times.double(), seconds, fps, _path_names(len(path)), flown=True)


def _path_names(count: int) -> tuple[str, ...]:
    return tuple(f"{PATH_PREFIX}{i:05d}.png" for i in range(count))
