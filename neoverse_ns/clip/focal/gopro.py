"""What GoPro cameras write of their field of view: key, length, value (GPMF) in the `GPMF` box of `moov/udta`."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.clip.focal.boxes import read_boxes
from neoverse_ns.clip.focal.hint import SourceFocal

# Names of GoPro's lens modes by the letter they are stored as; only "linear" ones show straight lines straight.
_MODES = {"W": "Wide", "S": "SuperView", "H": "HyperView", "L": "Linear", "N": "Narrow", "M": "Medium", "X": "Max"}
_LINEAR = {"L"}
# A linear mode's diagonal field of view is stated exactly, but stabilisation may crop it.
_UNCERTAINTY = 0.1


@dataclass(frozen=True)
class GoPro:
    """Attributes:
    model: Such as "HERO11 Black".
    mode: Letter of the lens mode; "" where it is not written.
    diagonal: Diagonal field of view in degrees; None where it is not written (before HERO8).
    """

    model: str
    mode: str
    diagonal: float | None

    @property
    def bends(self) -> bool:
        """Whether straight lines are known to be shown bent."""
        return self.mode in _MODES and self.mode not in _LINEAR

    @property
    def mode_name(self) -> str:
        return _MODES.get(self.mode, "unnamed")


def read_gopro(path: Path) -> GoPro | None:
    """What a GoPro wrote into its video; None in any other file."""
    contents = read_boxes(path, (b"moov", b"udta", b"GPMF"))
    if not contents:
        return None
    pairs = list(_values(contents[0]))
    values = dict(pairs)
    field = values.get(b"ZFOV")
    diagonal = struct.unpack(">f", field[:4])[0] if field is not None and len(field) >= 4 else None
    if diagonal is not None and not 10 < diagonal < 200:
        diagonal = None
    named_linear = any(key == b"DVNM" and "linear" in _text(value).lower() for key, value in pairs)
    mode = "L" if named_linear else _text(values.get(b"VFOV", b""))[:1]
    return GoPro(_text(values.get(b"MINF", b"GoPro")), mode, diagonal)


def gopro_focal(camera: GoPro, size: tuple[int, int], notes: list[str]) -> SourceFocal | None:
    """Focal length of a linear mode; any other is named as bending straight lines, and has none.

    Args:
        camera: What it wrote.
        size: Width and height of the frames.
        notes: Told of lens modes that bend lines.
    """
    if camera.bends:
        notes.append(
            f"{camera.model} in its {camera.mode_name} mode shows straight lines bent: record in Linear, or straighten "
            "the video first"
        )
    if camera.mode not in _LINEAR or camera.diagonal is None or camera.diagonal >= 170:
        return None
    pixels = math.hypot(*size) / 2 / math.tan(math.radians(camera.diagonal) / 2)
    return SourceFocal(pixels, _UNCERTAINTY, f"{camera.model}, {camera.diagonal:.0f} degrees from corner to corner")


def _values(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and raw values, those inside of nested ones included; ends where it stops making sense."""
    place = 0
    while place + 8 <= len(content):
        key, kind, size, count = struct.unpack_from(">4sBBH", content, place)
        length = size * count
        value = content[place + 8 : place + 8 + length]
        if len(value) < length or not key.strip(b"\0"):
            return
        if kind == 0:
            yield from _values(value)
        else:
            yield key, value
        place += 8 + (length + 3) // 4 * 4


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode("latin-1").strip()
