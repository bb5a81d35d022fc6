"""What `--view` asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError

Half = Literal["left", "right", "top", "bottom"]

HALVES: tuple[Half, ...] = ("left", "right", "top", "bottom")
HOW = "auto, none, left, right, top, bottom, or YAW,PITCH,FOV in degrees"
#: Widest view that a plain picture shows without stretching its borders beyond use, degrees.
_WIDEST = 130.0


@dataclass(frozen=True)
class Direction:
    """A plain view out of a 360-degree picture, degrees.

    Attributes:
        yaw: To the right of the picture's middle.
        pitch: Above its horizon.
        fov: Horizontal field of view.
    """

    yaw: float
    pitch: float
    fov: float


FORWARD = Direction(0.0, 0.0, 90.0)


@dataclass(frozen=True)
class ViewChoice:
    """Attributes:
    auto: Whatever the picture is, its view is chosen by what is found; the rest is then None.
    half: Half of the picture to use.
    direction: View to cut from the picture, or from that half.
    """

    auto: bool = False
    half: Half | None = None
    direction: Direction | None = None


def parse_view(text: str) -> ViewChoice:
    """Read the setting `view`: see `HOW`; a half and a direction may be combined, as in "right,0,0,90".

    Raises:
        SettingsError: It is something else, or a number is out of range.
    """
    if text in ("auto", "none"):
        return ViewChoice(auto=text == "auto")
    half: Half | None = next((name for name in HALVES if text == name or text.startswith(f"{name},")), None)
    if half == text:
        return ViewChoice(half=half)
    numbers = text if half is None else text[len(half) + 1 :]
    try:
        yaw, pitch, fov = (float(number) for number in numbers.split(","))
    except ValueError:
        raise SettingsError(f"view must be {HOW}, got {text!r}") from None
    if not (math.isfinite(yaw) and abs(pitch) <= 90 and 5 <= fov <= _WIDEST):
        raise SettingsError(
            f"view {text!r} is out of range: the pitch may be from -90 to 90, the field of view from 5 to {_WIDEST:g}"
        )
    return ViewChoice(half=half, direction=Direction(yaw, pitch, fov))
