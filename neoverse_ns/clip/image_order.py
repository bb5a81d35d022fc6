"""The order and the numbers of images as their names mean them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

_DECIMAL = re.compile(r"(?<![0-9.])([0-9]+)\.([0-9]+)$")
_LAST_NUMBER = re.compile(r"^(.*?)([0-9]+)([^0-9]*)$", re.DOTALL)


@dataclass(frozen=True)
class _Name:
    """A file name without its ending, around its last number."""

    before: str
    number: Fraction | None
    after: str


def in_order(images: Sequence[Path]) -> list[Path]:
    """Sort images by name, numbers in names compared as numbers: frame_9, frame_9.5, frame_10.

    A point between digits at the end of a name is a decimal point, unless the names count parts (1.9, 1.10); points
    elsewhere, as in v1.2_003, part two numbers.
    """
    decimal = _counts_in_decimals(images)

    def key(path: Path) -> tuple[list[tuple[str, Fraction]], str]:
        stem, number = path.stem.lower(), []
        found = _DECIMAL.search(stem) if decimal else None
        if found is not None:
            stem, number = stem[: found.start()], [("", Fraction(found[0])), ("", Fraction(0))]
        parts = re.split(r"([0-9]+)", stem if number else path.name.lower())
        # Text and numbers alternate, so that the same places of two names always hold the same kind.
        keys = [("", Fraction(part)) if place % 2 else (part, Fraction(0)) for place, part in enumerate(parts)]
        return [*keys, *number[:1], (path.suffix.lower(), Fraction(0))] if number else keys, path.name

    return sorted(images, key=key)


def running_numbers(images: Sequence[Path]) -> list[Fraction] | None:
    """The last number of every name, where the names differ in nothing else and the numbers ascend; else None.

    Args:
        images: In order.
    """
    names = [_parted(path, _counts_in_decimals(images)) for path in images]
    numbers = [name.number for name in names if name.number is not None]
    same = len({(name.before, name.after) for name in names}) == 1
    ascending = all(a < b for a, b in itertools.pairwise(numbers))
    return numbers if same and ascending and len(numbers) == len(images) else None


def _parted(path: Path, decimal: bool) -> _Name:
    stem = path.stem.lower()
    found = _DECIMAL.search(stem) if decimal else None
    if found is not None:
        return _Name(stem[: found.start()], Fraction(found[0]), "")
    last = _LAST_NUMBER.match(stem)
    return _Name(stem, None, "") if last is None else _Name(last[1], Fraction(last[2]), last[3])


def _counts_in_decimals(images: Sequence[Path]) -> bool:
    """Whether points between digits at the ends of names are decimal points."""
    found = {path: match for path in images if (match := _DECIMAL.search(path.stem.lower())) is not None}
    if not found:
        return False
    values = [(path.stem.lower()[: match.start()], Fraction(match[0])) for path, match in found.items()]
    whole = {match[1] for match in found.values()}
    # Parts 1.1 and 1.10 of a chapter are two; so are 1.9 and 1.10 where all belong to chapter 1.
    return len(set(values)) == len({path.stem.lower() for path in found}) and (
        len(whole) > 1 or len(found) < len(images) or int(next(iter(whole))) == 0
    )
