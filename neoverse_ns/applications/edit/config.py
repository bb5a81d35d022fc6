"""What is to be edited, and how."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError

Vector = tuple[float, float, float]
Scope = Literal["auto", "global", "frame"]


@dataclass(frozen=True)
class Operation:
    """What happens to one selected thing.

    Attributes:
        remove: Take it away; excludes all else.
        duplicate: Leave it where it is, and change a copy of it.
        move: Along the first camera's axes (right, down, ahead), world units.
        rotate: Degrees about the same axes, one after the other.
        scale: Times its size.
        recolour: RGB in [0, 1]: its hue; how bright each part is stays.
        scope: What it turns and grows about: `frame`, its own middle wherever it is; `global`, the middle of all its
            way, so that the way is turned and scaled, too; `auto`, the former where it moves.
    """

    remove: bool = False
    duplicate: bool = False
    move: Vector | None = None
    rotate: Vector | None = None
    scale: float = 1.0
    recolour: Vector | None = None
    scope: Scope = "auto"

    @property
    def places(self) -> bool:
        """Whether it changes where anything is."""
        return self.move is not None or self.rotate is not None or self.scale != 1.0

    @property
    def vacates(self) -> bool:
        """Whether what lies behind the thing comes to light."""
        return self.remove or (self.places and not self.duplicate)

    def validate(self) -> None:
        """Raise SettingsError where it cannot be done."""
        numbers = [*(self.move or ()), *(self.rotate or ()), *(self.recolour or ()), self.scale]
        if not all(math.isfinite(n) for n in numbers):
            raise SettingsError(f"an edit needs finite numbers, got {numbers}")
        if self.scale <= 0:
            raise SettingsError(f"scale must be above 0, got {self.scale:g}; to take a thing away, remove it")
        if self.recolour is not None and not all(0 <= c <= 1 for c in self.recolour):
            raise SettingsError(f"a colour has red, green and blue in 0 to 1, got {self.recolour}")
        if self.remove and (self.places or self.duplicate or self.recolour is not None):
            raise SettingsError(
                "what is removed cannot be moved, doubled or recoloured too: give another edit for that"
            )
        if not (self.remove or self.places or self.recolour is not None):
            raise SettingsError(
                "nothing is to be done to the thing: remove, move, rotate, scale or recolour it"
                + (" (a copy in the same place would not be seen)" if self.duplicate else "")
            )


@dataclass(frozen=True)
class CompositeConfig:
    """How edited frames are laid over those of the clip.

    Attributes:
        margin: Pixels around what was there before that are drawn anew, for soft outlines and blur, at 384 pixels of
            the longer side; more where frames are larger.
        feather: Pixels over which the drawing passes into the frame, likewise.
        from_frames: Look what lies behind up in other frames of the clip where they show it, which is sharper.
    """

    margin: float = 3.0
    feather: float = 2.0
    from_frames: bool = True

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        for name in ("margin", "feather"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= 200):
                raise SettingsError(f"{name} must lie in 0 to 200 pixels, got {value}")
