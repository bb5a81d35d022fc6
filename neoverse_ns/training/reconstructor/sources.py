"""From what users write to where clips come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.data.sets.registry import DATA_SETS
from neoverse_ns.training.data.sources import ClipSource, open_source

WORLDS = "worlds"
TRAINING_WORLDS = 1_000_000
"""Synthetic worlds of the split for training, after which they come again."""
VALIDATION_WORLDS = 1_000


def open_sources(texts: Sequence[str], split: str, plan: PlanConfig) -> list[ClipSource]:
    """Sources of clips.

    Args:
        texts: As of `ReconstructorTrainingConfig.data`.
        split: Of their clips.
        plan: Says how large synthetic worlds are drawn.

    Raises:
        SettingsError: A text cannot be understood.
        ClipError: There is nothing there, or nothing of that split.
    """
    sources = [_open(text, split, plan) for text in texts]
    names = [source.name for source in sources]
    # What is drawn of a source depends on its name, so that the same one twice needs two.
    return [replace(s, name=s.name if names.count(s.name) == 1 else f"{s.name} #{i}") for i, s in enumerate(sources)]


def validation_sources(texts: Sequence[str], split: str, plan: PlanConfig) -> list[ClipSource]:
    """Those of the sources that have clips of the split."""
    found = []
    for text in texts:
        try:
            found += open_sources([text], split, plan)
        except ClipError:
            continue
    return found


def _open(text: str, split: str, plan: PlanConfig) -> ClipSource:
    place, weight = _weight(text)
    name, equals, path = place.partition("=")
    if place == WORLDS:
        return _worlds(split, weight, plan)
    if equals and name in DATA_SETS:
        return open_source(Path(path).expanduser(), name, split, weight)
    if equals and not Path(place).expanduser().exists():
        raise SettingsError(f"data '{text}': no layout '{name}': choose one of {', '.join(sorted(DATA_SETS))}")
    return open_source(Path(place).expanduser(), None, split, weight)


def _weight(text: str) -> tuple[str, float]:
    place, at, weight = text.rpartition("@")
    if not at:
        return text, 1.0
    try:
        value = float(weight)
    except ValueError:
        return text, 1.0
    if not (math.isfinite(value) and value >= 0):
        raise SettingsError(f"data '{text}': the weight behind the @ must be a number, 0 or more")
    return place, value


def _worlds(split: str, weight: float, plan: PlanConfig) -> ClipSource:
    from neoverse_ns.training.data.sets.worlds import WorldRows

    # Drawn in the middle of all shapes that the steps cut out of them.
    height, width = plan.size(math.sqrt(plan.aspect[0] * plan.aspect[1]))
    count = TRAINING_WORLDS if split == "train" else VALIDATION_WORLDS
    return ClipSource(WORLDS, Path(), WorldRows(count, split, width, height), weight)
