"""Whether a file's tensors are those of a network, key by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from neoverse_ns.errors import WeightsError

Shape = tuple[int, ...]

_NAMED = 3
_ANCHORS = 8


@dataclass(frozen=True)
class Mismatch:
    """Differences between a network's keys and a file's, each in the order of the network or of the file."""

    total: int
    missing: list[str]
    unexpected: list[str]
    wrong_shape: list[tuple[str, Shape, Shape]]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.wrong_shape)

    def describe(self) -> str:
        """The counts, with the first keys of each kind."""
        parts = []
        if self.missing:
            parts.append(f"{len(self.missing):,} of {self.total:,} tensors missing ({_first(self.missing)})")
        if self.unexpected:
            parts.append(f"{len(self.unexpected):,} unexpected ({_first(self.unexpected)})")
        if self.wrong_shape:
            named = [f"{key}: {list(has)} instead of {list(wants)}" for key, wants, has in self.wrong_shape]
            parts.append(f"{len(self.wrong_shape):,} of another shape ({_first(named)})")
        return "; ".join(parts)


def compare(expected: Mapping[str, Shape], found: Mapping[str, Shape]) -> Mismatch:
    """Differences between the shapes that a network has and those that a file has."""
    return Mismatch(
        total=len(expected),
        missing=[key for key in expected if key not in found],
        unexpected=[key for key in found if key not in expected],
        wrong_shape=[
            (key, tuple(shape), tuple(found[key]))
            for key, shape in expected.items()
            if key in found and tuple(found[key]) != tuple(shape)
        ],
    )


def require_match(expected: Mapping[str, Shape], found: Mapping[str, Shape], name: str) -> None:
    """Accept only exactly the network's tensors.

    Raises:
        WeightsError: Anything is missing, unexpected or of another shape; the first keys and the counts are named.
    """
    mismatch = compare(expected, found)
    if mismatch:
        raise WeightsError(
            f"{name} does not fit the network: {mismatch.describe()}; use the weights made for it, or the settings "
            "that these weights were trained with"
        )


def common_prefix(found: Iterable[str], expected: Iterable[str]) -> str:
    """What a framework put in front of a network's keys (`model.`, `module.`, ...), or an empty string.

    Args:
        found: Keys of the file.
        expected: Keys of the network; the first few must be in the file, with or without a prefix.
    """
    found, wanted = list(found), list(expected)[:_ANCHORS]
    if set(wanted) & set(found):
        return ""
    for anchor in wanted:
        prefixes = [key.removesuffix(anchor) for key in found if key.endswith(f".{anchor}")]
        if len(prefixes) == 1:
            return prefixes[0]
    return ""


def _first(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
