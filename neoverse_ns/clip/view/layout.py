"""How a picture is laid out: a plain view, two views beside or above each other, the inside of a sphere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stereo = Literal["beside", "above"]

STATED, LOOKS = "its metadata says so", "as it looks"
"""What tells of a layout."""


@dataclass(frozen=True)
class Sphere:
    """The part of a sphere that an equirectangular picture (or half, of a stereo pair) covers.

    Attributes:
        left, right, top, bottom: Shares of the full sphere, 360 by 180 degrees, that lie beyond that border.
    """

    left: float = 0.0
    right: float = 0.0
    top: float = 0.0
    bottom: float = 0.0

    @property
    def across(self) -> float:
        """Degrees covered from left to right."""
        return 360.0 * (1 - self.left - self.right)

    @property
    def down(self) -> float:
        """Degrees covered from top to bottom."""
        return 180.0 * (1 - self.top - self.bottom)

    @property
    def whole(self) -> bool:
        """Whether the right border continues at the left one."""
        return self.left + self.right < 1e-6


HALF_SPHERE = Sphere(left=0.25, right=0.25)


@dataclass(frozen=True)
class Layout:
    """What a picture shows.

    Attributes:
        stereo: "beside" and "above" hold the left eye at the left or on top, the right eye at the other place.
        swapped: The right eye comes first instead.
        sphere: The picture, or each half, is the inside of this part of a sphere.
        unusable: Name of a layout from which no view is cut.
        origin: What tells: `STATED` or `LOOKS`.
    """

    stereo: Stereo | None = None
    swapped: bool = False
    sphere: Sphere | None = None
    unusable: str | None = None
    origin: str = ""

    @property
    def plain(self) -> bool:
        return self.stereo is None and self.sphere is None and self.unusable is None
