"""Line charts as SVG text, for documentation and browsers; nothing to install."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 176, 40, 56
"""Margins in pixels; names of lines stand in the right one."""

_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f")


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        name: In the legend.
        points: x and y; points that are not finite are left out.
    """

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class _Axis:
    """From values to pixels."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)


def line_chart(lines: Sequence[Line], x_title: str, y_title: str, title: str = "") -> str:
    """A chart with a mark at every point, the x axis labelled where there are points.

    Args:
        lines: What to show; without any finite point the chart says so.
        x_title: Below.
        y_title: At the left.
        title: Above.
    """
    points = [point for line in lines for point in line.points if all(map(math.isfinite, point))]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="13">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
        f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>\n'
    )
    if not points:
        return head + f'<text x="{LEFT}" y="{HEIGHT / 2}">nothing was measured</text>\n</svg>\n'
    xs = sorted({x for x, _ in points})
    ticks = _ticks(min(y for _, y in points), max(y for _, y in points))
    x_axis = _Axis(*_wide(xs[0], xs[-1]), float(LEFT + 16), float(WIDTH - RIGHT - 16))
    y_axis = _Axis(ticks[0], ticks[-1], float(HEIGHT - BOTTOM), float(TOP))
    parts = [head]
    for tick in ticks:
        y = y_axis.at(tick)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>\n')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>\n')
    for x in xs:
        place = f'x="{x_axis.at(x):.1f}" y="{HEIGHT - BOTTOM + 20}"'
        parts.append(f'<text {place} text-anchor="middle">{x:g}</text>\n')
    parts += [_line(line, x_axis, y_axis, number) for number, line in enumerate(lines)]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_title)}</text>\n')
    turned = f'transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"'
    parts.append(f'<text {turned} text-anchor="middle">{escape(y_title)}</text>\n</svg>\n')
    return "".join(parts)


def _line(line: Line, x_axis: _Axis, y_axis: _Axis, number: int) -> str:
    colour = _COLOURS[number % len(_COLOURS)]
    places = [(x_axis.at(x), y_axis.at(y)) for x, y in line.points if math.isfinite(x) and math.isfinite(y)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>\n' for x, y in places)
    row = TOP + 8 + 20 * number
    legend = (
        f'<rect x="{WIDTH - RIGHT + 12}" y="{row - 8}" width="12" height="4" fill="{colour}"/>\n'
        f'<text x="{WIDTH - RIGHT + 30}" y="{row}">{escape(line.name)}</text>\n'
    )
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>\n{marks}{legend}'


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from below the lowest to above the highest value, about five of them."""
    low, high = _wide(low, high)
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _wide(low: float, high: float) -> tuple[float, float]:
    """The same interval, or one around the value where both ends are equal."""
    return (low, high) if high > low else (low - 0.5, high + 0.5)
