"""The battery of movers: small clips of the camera battery's lane, each with things that move in their own way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from _benchmark import camera_paths as paths
from _benchmark.camera_scene import GROUND, lane
from _benchmark.walker import Walker, drawn_texture
from neoverse_ns.clip.synthetic.solids import Solid, Vector, rigid
from neoverse_ns.errors import SettingsError

SECONDS, RATE = 2.0, 30.0
"""Length of a clip, and frames a second of its source."""
SAMPLED = 17
"""Frames of the source that are used: 8 a second, so that others lie between them."""
WIDTH, HEIGHT, FOCAL = 320, 176, 0.85
"""Size of the frames, and focal length over width."""
DOWN = 7.0
"""Degrees that the camera looks down."""


@dataclass(frozen=True)
class MoverCase:
    """One kind of clip.

    Attributes:
        name: Of its rows.
        movers: What moves, drawn from a generator.
        words: For the header.
    """

    name: str
    movers: Callable[[torch.Generator], list[Solid]]
    words: str


def camera_path(seed: int) -> paths.Path:
    """A slow walk ahead for even seeds, a step aside for odd ones; both look down a little, so that feet are seen."""

    def path(time: float) -> paths.Place:
        place = paths.walk(0.5 * time) if seed % 2 == 0 else paths.sideways(0.25 + 0.5 * time)._replace(z=-0.5)
        return place._replace(pitch=place.pitch - DOWN)

    return path


def world_of(case: MoverCase, seed: int) -> list[Solid]:
    """The lane, and what moves in it."""
    return lane() + case.movers(torch.Generator().manual_seed(1000 + seed))


def _between(random: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(1, generator=random))


def _along(start: Vector, end: Vector) -> Callable[[float], Vector]:
    def place(time: float) -> Vector:
        x, y, z = (a + (b - a) * time for a, b in zip(start, end, strict=True))
        return (x, y, z)

    return place


def _walker(random: torch.Generator, thing: int, start: tuple[float, float], end: tuple[float, float]) -> list[Solid]:
    """From one point of the ground (x, z) straight to another, out of step with others."""
    x, z = end[0] - start[0], end[1] - start[1]
    feet = _along((start[0], GROUND, start[1]), (end[0], GROUND, end[1]))
    phase = _between(random, 0.0, 2 * math.pi)
    return Walker(thing, feet, math.atan2(x, z), math.hypot(x, z), phase).solids(random)


def _one_walker(random: torch.Generator) -> list[Solid]:
    z, reach = _between(random, 3.7, 4.2), _between(random, 1.1, 1.4)
    return _walker(random, 1, (-reach, z), (reach, z + _between(random, -0.3, 0.3)))


def _crossing(random: torch.Generator) -> list[Solid]:
    near, reach = _between(random, 3.2, 3.6), _between(random, 1.0, 1.3)
    far = near + _between(random, 0.7, 1.0)
    return _walker(random, 1, (-reach, near), (reach, near)) + _walker(random, 2, (reach, far), (-reach, far))


def _behind(random: torch.Generator) -> list[Solid]:
    """A cart that hides the legs of one who walks the same way behind it, and falls back."""
    near, start = _between(random, 3.2, 3.6), _between(random, -1.3, -1.0)
    cart = _along((start + 0.5, GROUND - 0.4, near), (start + 1.5, GROUND - 0.4, near))
    texture = drawn_texture(random, 2.5, cells=2.5)
    return [
        Solid("box", (0.5, 0.4, 0.3), texture, lambda time: rigid(cart(time), yaw=0.1), thing=1),
        *_walker(random, 2, (start, near + 0.8), (start + 2.4, near + 0.8)),
    ]


def _approaching(random: torch.Generator) -> list[Solid]:
    side = 1.0 if _between(random, -1, 1) > 0 else -1.0
    start = (side * _between(random, 0.7, 1.0), 6.0)
    return _walker(random, 1, start, (side * _between(random, 0.1, 0.4), _between(random, 3.0, 3.3)))


CASES = {
    case.name: case
    for case in (
        MoverCase("walker", _one_walker, "one who walks across"),
        MoverCase("crossing", _crossing, "two who walk past each other"),
        MoverCase("behind", _behind, "one who walks behind a cart that moves, too"),
        MoverCase("approaching", _approaching, "one who walks toward the camera"),
    )
}
"""All by name, in the order of the table."""


def choose_cases(names: str | None) -> list[MoverCase]:
    """The cases of these names, separated by commas; all for None.

    Raises:
        SettingsError: There is none of some name.
    """
    if names is None:
        return list(CASES.values())
    unknown = sorted(set(names.split(",")) - set(CASES))
    if unknown:
        raise SettingsError(f"no case named {', '.join(unknown)}; there are {', '.join(CASES)}")
    return [case for name, case in CASES.items() if name in names.split(",")]
