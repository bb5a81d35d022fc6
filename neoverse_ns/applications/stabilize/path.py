"""Where the steady camera goes, and what of its pictures is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neoverse_ns.applications.stabilize.borders import Part, largest_part, unseen_borders
from neoverse_ns.applications.stabilize.config import LEAST_STEADY, STEADIEST, StabilizeConfig
from neoverse_ns.applications.stabilize.own_pixels import own_cameras
from neoverse_ns.applications.stabilize.tripod import tripod
from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.stabilise import stabilise_cameras
from neoverse_ns.trajectory.trajectory import Trajectory

_FEWEST = 3
"""Frames below which a path is as smooth as it can be."""
_BORDER_SIZE = 256
"""Longer side of the pictures in which borders are looked for, pixels."""
_LESS = 0.5**0.5
"""What is tried after a smoothing that would cut away too much, over it."""


@dataclass(frozen=True)
class SteadyPath:
    """The clip's moments seen from a steady camera.

    Attributes:
        whole: Cameras that show all of the picture.
        part: What of it is shown.
        seconds: Standard deviation of the smoothing; None on a tripod.
    """

    whole: Trajectory
    part: Part
    seconds: float | None

    @property
    def shown(self) -> Trajectory:
        """Cameras that show that part at the full size."""
        return replace(self.whole, cameras=self.part.of(self.whole.cameras))


def clip_path(scene: ExportScene) -> Trajectory:
    """The clip as it was filmed: its own cameras and moments, at its mean rate.

    Raises:
        SettingsError: The clip is too short to shake.
    """
    count, length = len(scene.cameras), float(scene.seconds[-1] - scene.seconds[0])
    if count < _FEWEST or not length > 0:
        raise SettingsError(f"{count} frames over {length:g} s cannot be steadied: a shake needs at least {_FEWEST}")
    return scene.as_filmed


def steady_path(scene: ExportScene, config: StabilizeConfig) -> SteadyPath:
    """Smooth the clip's path, or put the camera on a tripod, and cut away what was never seen.

    Raises:
        SettingsError: A setting is out of range, or the clip too short.
    """
    config.validate()
    path = clip_path(scene)
    if config.lock:
        return _cut(scene, path, tripod(scene, path), config, None)
    asked = config.seconds
    if config.strength is not None:
        # A frame as a share of the clip: what smooths is time, however unevenly the frames were taken.
        asked = config.strength / (path.fps or 1.0)
    seconds = STEADIEST if asked is None else asked
    while True:
        cameras = stabilise_cameras(scene.cameras, seconds, scene.seconds)
        found = _cut(scene, path, cameras, config, seconds)
        if asked is not None or found.part.clean or seconds <= LEAST_STEADY:
            return found
        seconds = max(seconds * _LESS, LEAST_STEADY)


def _cut(
    scene: ExportScene, path: Trajectory, cameras: PinholeCameras, config: StabilizeConfig, seconds: float | None
) -> SteadyPath:
    whole = replace(path, cameras=cameras)
    # A drawing is thin here and there at its edge, which does not matter where the frame itself is shown.
    itself = config.pixels == "own" and bool(own_cameras(cameras, scene.cameras).all())
    if config.crop == "none" or itself:
        return SteadyPath(whole, Part(), seconds)
    return SteadyPath(whole, largest_part(unseen_borders(scene, whole, _BORDER_SIZE), config.max_crop), seconds)
