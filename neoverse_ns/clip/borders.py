"""Where the picture ends and bars begin: black or plain ones, and blurred copies of the picture beside itself.

A bar is a stack of lines, rows or columns, that show one colour from end to end in every frame, and ends at a straight
edge that the picture draws anew all the time. A dark sky has no such edge. Blurred bars are soft, lie on both sides
alike, and end at a straight edge, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

Kind = Literal["plain", "blurred", "round"]
Box = tuple[int, int, int, int]
"""Column and row of the upper left pixel, width and height."""

ALIKE = 10
"""Difference in grey levels of any channel up to which a pixel has the bar's colour: compression and noise."""
WHOLE, MOSTLY = 0.9, 0.8
"""Share of its pixels that must have the colour: of the last lines of a bar, of all its lines (the rest is text)."""
RINGING, NEARLY = 40, 0.99
"""Difference in grey levels that compression makes beside an edge, and share of the last lines' pixels below it."""
LAST = 3
"""Lines at the end of a bar that must be whole, and lines of the picture behind in which its edge is looked for."""
ACROSS = 0.6
"""Share of an edge's length along which something of another colour lies behind it at least once."""
THINNEST = 0.005
"""Share of the picture's side below which plain lines are left: encoders leave a line or two."""
THINNEST_BLURRED = 0.04
"""The same for blurred bars."""
PEAK = 3.0
"""How much more changes across the edge of a blurred bar than between the lines before it."""
FAINT = 0.5
"""Grey levels by which neighbouring lines differ in any case."""
JUMP, JUMPS = 3.0, 0.5
"""Grey levels by which a pixel of such an edge stands out, and share of its pixels, over all frames, that do."""
SOFT = 0.4
"""Detail in blurred bars as a share of that in the picture between them, at most."""
UNEVEN = 0.02
"""Share of the picture's side by which two blurred bars may differ."""
SMALLEST = 32
"""Sides in pixels below which no bars are looked for."""
LEAST_LEFT = 0.1
"""Share of either side that a picture between bars must have."""


@dataclass(frozen=True)
class Borders:
    """The picture inside its bars.

    Attributes:
        box: Where it is.
        kinds: What lies beside it.
    """

    box: Box
    kinds: tuple[Kind, ...]

    def outside(self, height: int, width: int) -> Bool[ndarray, "h w"]:
        """The pixels of the bars."""
        x, y, w, h = self.box
        mask = np.ones((height, width), bool)
        mask[y : y + h, x : x + w] = False
        return mask


def find_borders(frames: UInt8[ndarray, "n h w 3"]) -> Borders | None:
    """Look for bars on all sides; None where there are none.

    Args:
        frames: Some of a clip, spread over its time: what stays plain only for a while is no bar.
    """
    box = x, y, w, h = 0, 0, frames.shape[2], frames.shape[1]
    kinds: list[Kind] = []
    # Twice, because bars in one direction hide that those in the other are plain: a window within a window.
    for _ in range(2):
        before = box
        for columns in (True, False):
            if min(w, h) < SMALLEST:
                break
            inside = frames[:, y : y + h, x : x + w]
            lines = inside.transpose(0, 2, 1, 3) if columns else inside
            found: tuple[Kind, tuple[int, int] | None] = ("plain", _plain_bars(lines))
            if found[1] is None:
                found = "blurred", _blurred_bars(lines)
            if found[1] is None:
                continue
            first, last = found[1]
            size = lines.shape[1] - first - last
            if size < LEAST_LEFT * lines.shape[1]:
                continue
            kinds.append(found[0])
            x, y, w, h = (x + first, y, size, h) if columns else (x, y + first, w, size)
        box = (x, y, w, h)
        if box == before:
            break
    return Borders(box, tuple(dict.fromkeys(kinds))) if kinds else None


def _plain_bars(lines: UInt8[ndarray, "n l p 3"]) -> tuple[int, int] | None:
    """Lines of plain bars before and behind the picture; None where there are none."""
    sides = [_plain_bar(lines), _plain_bar(lines[:, ::-1])]
    (first, run), (last, other) = sides
    # Where the picture is as dark as the bar on one side, it ends where it does on the other.
    if not first and run >= last - LAST:
        first = last
    elif not last and other >= first - LAST:
        last = first
    least = max(THINNEST * lines.shape[1], 2)
    first, last = (side if side >= least else 0 for side in (first, last))
    return (first, last) if first or last else None


def _plain_bar(lines: UInt8[ndarray, "n l p 3"]) -> tuple[int, int]:
    """Lines of the bar at the beginning, 0 where it does not end at an edge; and how many there are whole of."""
    colour = np.median(lines[:, 0], axis=(0, 1)).astype(np.int16)
    limit = lines.shape[1] - LAST
    share, clean = np.zeros(limit), np.zeros(limit, bool)
    ends, whole = 0, 0
    for place in range(limit):
        distance = _distance(lines[:, place], colour)
        share[place] = np.mean(distance <= ALIKE)
        clean[place] = share[place] >= WHOLE and np.mean(distance <= RINGING) >= NEARLY
        if share[: place + 1].mean() < MOSTLY:
            break
        whole = place + 1 if whole == place and clean[place] else whole
        # An edge that is half a pixel off leaves one line that is neither.
        if place + 1 >= LAST and clean[place - LAST + 1 : place + 1].all():
            behind = np.median(_distance(lines[:, place + 1 : place + 1 + LAST], colour), axis=1)
            if np.mean(behind.max(axis=0) > 1.5 * ALIKE) >= ACROSS:
                ends = place + 1 + int(_between(lines, place + 1, colour))
    return ends, whole


def _distance(pixels: UInt8[ndarray, "*n 3"], colour: ndarray) -> ndarray:
    return np.abs(pixels.astype(np.int16) - colour).max(axis=-1)


def _between(lines: UInt8[ndarray, "n l p 3"], place: int, colour: ndarray) -> bool:
    """Whether a line is a mixture of the bar and the next line."""
    here, behind = (float(_distance(lines[:, k], colour).mean()) for k in (place, place + 1))
    return here < 0.75 * behind


def _blurred_bars(lines: UInt8[ndarray, "n l p 3"]) -> tuple[int, int] | None:
    """Lines of blurred bars before and behind the picture; None where there are none."""
    gray = np.stack([cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY) for image in lines])
    gray = gray.astype(np.float32)
    count = gray.shape[1]
    least, slack = max(int(THINNEST_BLURRED * count), 8), max(round(UNEVEN * count), 2)
    if count < 8 * least:
        least = max(count // 16, 3)
    jump = np.abs(np.diff(gray, axis=1)).mean(axis=(0, 2))
    before = np.array([np.median(jump[max(k - 8, 0) : max(k - 1, 1)]) for k in range(count - 1)])
    after = np.array([np.median(jump[min(k + 2, count - 2) : k + 9]) for k in range(count - 1)])
    starts, ends = jump / (before + FAINT), jump / (after + FAINT)
    best, found = PEAK, None
    for first in range(least, count // 2 - 2):
        low, high = max(count - first - slack, count // 2 + 2), min(count - first + slack, count - least)
        if starts[first - 1] <= best or low >= high:
            continue
        end = low + int(ends[low - 1 : high - 1].argmax())
        if min(starts[first - 1], ends[end - 1]) > best:
            best, found = min(starts[first - 1], ends[end - 1]), (first, end)
    if found is None:
        return None
    first, end = found
    inside = _detail(gray[:, first + 2 : end - 2])
    beside = max(_detail(gray[:, : first - 2]), _detail(gray[:, end + 2 :]))
    if beside > SOFT * inside or min(_jumps(gray, first, -1), _jumps(gray, end, 1)) < JUMPS:
        return None
    # One line more on either side: scaling has mixed it.
    return first + 1, count - end + 1


def _detail(gray: Float[ndarray, "n l p"]) -> float:
    """Mean difference of neighbouring pixels in both directions."""
    if min(gray.shape[1:]) < 2:
        return 0.0
    return float(np.abs(np.diff(gray, axis=1)).mean() + np.abs(np.diff(gray, axis=2)).mean())


def _jumps(gray: Float[ndarray, "n l p"], edge: int, outward: int) -> float:
    """Share of an edge's pixels at which values jump, against what they change by in the bar."""
    low, high = max(edge - 2, 0), min(edge + 1, gray.shape[1] - 1)
    jump = np.abs(gray[:, high] - gray[:, low])
    bar = gray[:, :low] if outward < 0 else gray[:, high:]
    usual = np.abs(bar[:, LAST:] - bar[:, :-LAST]).mean(axis=1) if bar.shape[1] > LAST else 0.0
    return float(np.mean(jump > JUMP + usual))
