"""The camera battery: small clips of one world, each with its own camera work, lens, overlay or fault of time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from _benchmark import camera_paths as paths
from _benchmark import camera_pictures as pictures
from neoverse_ns.errors import SettingsError

FRAMES, WIDTH, HEIGHT = 12, 384, 216
FOCAL = 0.85
"""Focal length over width of most cases: 61 degrees of view across."""
RATE = 8.0
"""Frames per second."""


@dataclass(frozen=True)
class Case:
    """One clip.

    Attributes:
        name: Of its row.
        path: The camera's.
        focal: Focal length over width at a time in [0, 1].
        picture: What happens to the frames.
        mover: Whether something is carried past the camera.
        barrel: Radial coefficient k of the lens: what is seen at radius r, in focal lengths, has the slope
            r (1 + k r^2).
        readout: Seconds from the first row of a frame to its last.
        size: Width and height of the frames.
        shown: Number of the rendered frame that each frame of the clip shows; None shows all in turn.
    """

    name: str
    path: paths.Path = paths.walk
    focal: Callable[[float], float] = lambda _time: FOCAL
    picture: pictures.Picture = pictures.as_recorded
    mover: bool = False
    barrel: float = 0.0
    readout: float = 0.0
    size: tuple[int, int] = (WIDTH, HEIGHT)
    shown: tuple[int, ...] | None = None


def _steady(focal: float) -> Callable[[float], float]:
    return lambda _time: focal


def _zooming(first: float, ratio: float) -> Callable[[float], float]:
    """As fast by ratio at any time."""
    return lambda time: first * ratio**time


def _seeing(degrees: float) -> Callable[[float], float]:
    """A lens that sees so much across."""
    return _steady(0.5 / math.tan(math.radians(degrees) / 2))


MOTIONS = (
    Case("forward"),
    Case("sideways", paths.sideways),
    Case("corner", paths.corner),
    Case("orbit", paths.orbit),
    Case("hand_shake", paths.shaken_walk),
    Case("fast_pan", paths.fast_pan),
    Case("rotation", paths.turn),
    Case("still", paths.stand),
    Case("zoom", paths.stand, _zooming(0.7, 1.9)),
    Case("zoom_walk", focal=_zooming(0.7, 1.6)),
    Case("tiny_parallax", paths.lean),
    Case("half_mover", mover=True),
)
OVERLAYS = (
    Case("bonnet", picture=pictures.BONNET),
    Case("plain_bonnet", picture=pictures.PLAIN_BONNET),
    Case("bonnet_corner", paths.corner, picture=pictures.BONNET),
    Case("logo", picture=pictures.LOGO),
    Case("timer", picture=pictures.timer),
    Case("letterbox", picture=pictures.LETTERBOX),
    Case("pillarbox", picture=pictures.PILLARBOX),
    Case("blurred_sides", picture=pictures.blurred_sides),
    Case("round", picture=pictures.ROUND),
)
FAULTS = (
    Case("exposure", picture=pictures.exposure_ramp),
    Case("black_frames", picture=pictures.black_at(0, 6)),
    Case("repeated", shown=tuple(2 * (number // 2) for number in range(FRAMES))),
    Case("rolling_shutter", paths.shaken_walk, readout=0.02),
)
LENSES = (
    Case("barrel", focal=_steady(0.7), barrel=0.25),
    Case("barrel_slight", focal=_steady(0.7), barrel=0.15),
    Case("barrel_orbit", paths.orbit, _steady(0.7), barrel=0.25),
    Case("fov30", focal=_seeing(30)),
    Case("fov45", focal=_seeing(45)),
    Case("fov90", focal=_seeing(90)),
    Case("fov110", focal=_seeing(110)),
    Case("wide192", size=(192, 108)),
    Case("wide640", size=(640, 360)),
)
CASES = {case.name: case for case in MOTIONS + OVERLAYS + FAULTS + LENSES}
"""All by name, in the order of the table."""


def choose_cases(names: list[str] | None) -> list[Case]:
    """The cases of these names, in the table's order; all for None.

    Raises:
        SettingsError: There is none of some name.
    """
    if names is None:
        return list(CASES.values())
    unknown = sorted(set(names) - set(CASES))
    if unknown:
        raise SettingsError(f"no case named {', '.join(unknown)}; there are {', '.join(CASES)}")
    return [case for name, case in CASES.items() if name in names]
