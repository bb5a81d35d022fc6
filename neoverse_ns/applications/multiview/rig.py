"""Which cameras stand around the clip's own, and how they are turned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.presets import MoveSize, end_pose
from neoverse_ns.trajectory.trajectory import Trajectory

Move = Literal["pan", "orbit", "shift"]

_PRESETS: dict[Move, dict[str, str]] = {
    "pan": {"left": "pan_left", "right": "pan_right", "up": "tilt_up", "down": "tilt_down"},
    "orbit": {"left": "orbit_left", "right": "orbit_right"},
    "shift": {"left": "move_left", "right": "move_right", "up": "boom_up", "down": "boom_down"},
}
"""Names of the camera moves whose end a camera of the rig takes."""


@dataclass
class RigConfig:
    """Cameras beside the clip's own, all of which look at the same moments."""

    views: tuple[str, ...] = ("left", "right")
    """Sides on which cameras stand: left, right, up, down."""
    move: Move = "pan"
    """How they differ from the clip's camera: `pan` turns it on the spot, as published, so that views join at their
    sides; `orbit` goes around the point in the middle of the picture at the scene's median depth (left and right);
    `shift` steps aside without turning."""
    angle: float = 25.0
    """Degrees from one ring to the next, of `pan` and `orbit`."""
    distance: float = 0.1
    """The same of `shift`, in units of the scene's median depth."""
    rings: int = 1
    """Cameras on every side, each as far from the one before as that is from the clip's, and made from what it
    showed."""

    def validate(self) -> None:
        """Raise SettingsError where a value makes no sense."""
        known = _PRESETS[self.move]
        wrong = [view for view in self.views if view not in known]
        if wrong or not self.views:
            raise SettingsError(
                f"--views of --move {self.move} are {', '.join(known)}, got {repr(wrong[0]) if wrong else 'none'}"
            )
        if len(set(self.views)) < len(self.views):
            raise SettingsError(f"every view can be asked for once, got {', '.join(self.views)}")
        if self.rings < 1:
            raise SettingsError(f"--rings must be 1 or more, got {self.rings}")
        name, value = ("distance", self.distance) if self.move == "shift" else ("angle", self.angle)
        if not (math.isfinite(value) and value > 0):
            raise SettingsError(f"--{name} must be a finite number above 0, got {value}")
        if self.move != "shift" and self.angle * self.rings > 180:
            raise SettingsError(
                f"{self.rings} rings of {self.angle:g} degrees go {self.angle * self.rings:g} degrees to each side, "
                "and 180 meet behind the camera: lower --angle or --rings"
            )

    def offset(self, view: str, ring: int) -> Float64[Tensor, "4 4"]:
        """Camera-to-world of a camera of the rig, relative to the clip's at the same moment.

        Args:
            view: Its side.
            ring: Counted from 1.
        """
        size = MoveSize(angle=ring * self.angle, distance=ring * self.distance, orbit_radius=1.0)
        return end_pose(_PRESETS[self.move][view], size)


def rig(scene: ExportScene, config: RigConfig) -> dict[str, Trajectory]:
    """The rig's cameras by name (`left_1`, ...), ring after ring, at exactly the clip's moments.

    Every one stands still beside the clip's camera: it goes where that goes, and turns with it.

    Raises:
        SettingsError: A setting makes no sense.
    """
    config.validate()
    fps = scene.frame_rate
    cameras = scene.cameras
    paths = {}
    for ring in range(1, config.rings + 1):
        for view in config.views:
            c2w = (cameras.c2w.double() @ config.offset(view, ring)).to(cameras.c2w)
            moved = PinholeCameras(c2w, cameras.K, cameras.width, cameras.height)
            paths[f"{view}_{ring}"] = Trajectory(moved, scene.times, fps=fps)
    return paths
