"""Which point of the scene a move is about: given, picked in a frame, a moving thing, or found."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.moves.stage import Stage, Surroundings
from neoverse_ns.trajectory.moves.subject import PointPath

_NEAREST = 1e-3
"""A camera that is closer to a point than this share of the median depth stands in it."""


@dataclass(frozen=True)
class Subject:
    """At most one of these; none of them lets it be found."""

    point: tuple[float, float, float] | None = None
    """A place in the world: x right, y down, z forward of the clip's first camera, whose median depth is 1."""
    pixel: tuple[float, float, float] | None = None
    """What a sampled frame shows at a pixel: column, row, number of the frame."""
    thing: int | None = None
    """A moving thing, by its number from 1."""

    def validate(self) -> None:
        """Raise SettingsError where more than one is given."""
        given = [name for name in ("point", "pixel", "thing") if getattr(self, name) is not None]
        if len(given) > 1:
            raise SettingsError(f"give one of point, pixel and thing, not {' and '.join(given)}")


def find_subject(chosen: Subject, stage: Stage, frame: int | None) -> PointPath:
    """The point's path through the clip.

    Where none is chosen it is the middle of what moves, else the point on the optical axis at the median depth.

    Args:
        chosen: What the user said.
        stage: Where the move happens.
        frame: Sampled frame from whose camera the median depth is taken; None takes the first.

    Raises:
        SettingsError: There is no such point, or the scene that it would be found in is not known.
    """
    chosen.validate()
    if chosen.point is not None:
        return PointPath.resting(torch.tensor(chosen.point, dtype=torch.float64))
    if chosen.pixel is not None:
        x, y, number = chosen.pixel
        return _scene(stage, "a pixel").at_pixel(x, y, _whole(number, "the frame of a pixel"))
    if chosen.thing is not None:
        return _scene(stage, "a moving thing").thing(chosen.thing)
    mover = None if stage.surroundings is None else stage.surroundings.mover()
    return middle_point(stage, frame or 0) if mover is None else mover


def middle_point(stage: Stage, frame: int) -> PointPath:
    """The point before a sampled frame's camera at the median depth it sees; 1 where the scene is not known."""
    depth = distance_unit(stage, frame)
    c2w = stage.clip.c2w[frame].to(torch.float64)
    return PointPath.resting(c2w[:3, 3] + depth * c2w[:3, 2])


def distance_unit(stage: Stage, frame: int) -> float:
    """Median depth that a sampled frame's camera sees, world units; 1 (the world's own) where that is not known."""
    return 1.0 if stage.surroundings is None else stage.surroundings.median_depth(frame)


def check_apart(name: str, ways: Float64[Tensor, "n 3"], stage: Stage, frame: int | None) -> None:
    """Raise SettingsError where a camera stands in the point that it should move about.

    Args:
        name: The move, for the error.
        ways: From cameras to the point, or back, world units.
        stage: Where the move happens.
        frame: As of :func:`find_subject`.
    """
    nearest = float(ways.norm(dim=-1).min())
    if nearest < _NEAREST * distance_unit(stage, frame or 0):
        raise SettingsError(
            f"{name} needs its point before the camera, but the camera stands in it ({nearest:.2g} away): choose "
            "another point, or another start"
        )


def _scene(stage: Stage, what: str) -> Surroundings:
    if stage.surroundings is None:
        raise SettingsError(f"{what} can only be picked in a scene: give a point of the world, or leave it out")
    return stage.surroundings


def _whole(value: float, what: str) -> int:
    if value != int(value):
        raise SettingsError(f"{what} must be a whole number, got {value:g}")
    return int(value)
