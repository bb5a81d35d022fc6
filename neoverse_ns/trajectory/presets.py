"""The 13 camera moves with a name: relative motions from the identity to an end pose."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.geometry.se3 import assemble, so3_exp


@dataclass(frozen=True)
class MoveSize:
    """How far a move goes; every move looks at what concerns it.

    Attributes:
        angle: Degrees of a pan, tilt or orbit.
        distance: World units of a straight move.
        orbit_radius: World units from the camera to the point an orbit keeps in view.
    """

    angle: float = 15.0
    distance: float = 0.1
    orbit_radius: float = 1.0


def _turn(right: float = 0.0, up: float = 0.0) -> Callable[[MoveSize], Tensor]:
    """Turn on the spot; in OpenCV axes a positive rotation about y looks right, one about x looks up."""

    def pose(size: MoveSize) -> Tensor:
        w = torch.tensor([up, right, 0.0], dtype=torch.float64) * math.radians(size.angle)
        return assemble(so3_exp(w), torch.zeros(3, dtype=torch.float64))

    return pose


def _shift(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Callable[[MoveSize], Tensor]:
    """Move along the camera's own axes without turning."""

    def pose(size: MoveSize) -> Tensor:
        t = torch.tensor([x, y, z], dtype=torch.float64) * size.distance
        return assemble(torch.eye(3, dtype=torch.float64), t)

    return pose


def _orbit(right: float) -> Callable[[MoveSize], Tensor]:
    """Circle the point `orbit_radius` in front of the camera, which stays in the middle of the view."""

    def pose(size: MoveSize) -> Tensor:
        angle = math.radians(size.angle)
        R = so3_exp(torch.tensor([0.0, -right * angle, 0.0], dtype=torch.float64))
        t = torch.tensor([right * math.sin(angle), 0.0, 1 - math.cos(angle)], dtype=torch.float64)
        return assemble(R, t * size.orbit_radius)

    return pose


MOVES: dict[str, Callable[[MoveSize], Tensor]] = {
    "pan_left": _turn(right=-1.0),
    "pan_right": _turn(right=1.0),
    "tilt_up": _turn(up=1.0),
    "tilt_down": _turn(up=-1.0),
    "move_left": _shift(x=-1.0),
    "move_right": _shift(x=1.0),
    "push_in": _shift(z=1.0),
    "pull_out": _shift(z=-1.0),
    "boom_up": _shift(y=-1.0),
    "boom_down": _shift(y=1.0),
    "orbit_left": _orbit(right=-1.0),
    "orbit_right": _orbit(right=1.0),
    "static": _shift(),
}
"""End pose of every preset, c2w in OpenCV axes relative to the camera it starts from."""


def end_pose(name: str, size: MoveSize | None = None) -> Float64[Tensor, "4 4"]:
    """Where the move called `name` ends.

    Raises:
        SettingsError: There is no such move.
    """
    if name not in MOVES:
        raise SettingsError(f"there is no camera move '{name}'; choose from {', '.join(MOVES)}")
    return MOVES[name](size or MoveSize())


def preset(name: str, num_frames: int, size: MoveSize | None = None) -> Float64[Tensor, "{num_frames} 4 4"]:
    """A preset over `num_frames` frames, from the identity to its end pose.

    Rotations turn at constant speed and positions go straight, also on an orbit (as NeoVerse does it), so that an
    orbit's middle is a little closer to its centre than its ends.

    Raises:
        SettingsError: There is no such move, or no frame.
    """
    if num_frames < 1:
        raise SettingsError(f"a trajectory needs at least one frame, got {num_frames}")
    ends = torch.stack([torch.eye(4, dtype=torch.float64), end_pose(name, size)])
    return interpolate_c2w(ends, torch.linspace(0, 1, num_frames, dtype=torch.float64))
