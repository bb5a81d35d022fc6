"""Sources of clips as they are written on a command line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.data.sets.registry import DATA_SETS
from neoverse_ns.training.data.sets.worlds import NAME, WorldRows
from neoverse_ns.training.data.sources import ClipSource, open_source

WORLDS = 1_000_000
"""How many worlds make an epoch of them."""


def sources_of(texts: Iterable[str], plan: PlanConfig, split: str = "train") -> list[ClipSource]:
    """What `worlds@2`, `point_odyssey=/data/po`, `/data/clips.jsonl@0.5` or `own=/data/shards@3` name.

    Each is a data set with its folder, a manifest, or shards; `worlds` needs no folder. Behind `@` stands its weight
    among the others, 1 where it is left out.

    Args:
        texts: One a source, each once.
        plan: Sizes of batches, in which worlds are rendered.
        split: Which clips of each.

    Raises:
        SettingsError: A text cannot be read, or names an unknown data set; or two are the same.
        ClipError: There is nothing there, nothing of that split, or it is damaged.
    """
    sources = [_source(text, plan, split) for text in texts]
    names = [source.name for source in sources]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SettingsError(f"{', '.join(sorted(twice))}: named twice; give it once, with a larger weight")
    return sources


def _source(text: str, plan: PlanConfig, split: str) -> ClipSource:
    place, weight = _weighted(text)
    dataset, _, path = place.partition("=")
    if not path:
        dataset, path = "", place
    if dataset and dataset not in DATA_SETS:
        raise SettingsError(f"no data set '{dataset}' in '{text}': choose one of {', '.join(sorted(DATA_SETS))}")
    if path == NAME and not dataset:
        height, width = plan.size(math.sqrt(plan.aspect[0] * plan.aspect[1]))
        return ClipSource(NAME, Path(), WorldRows(WORLDS, split, width, height), weight)
    return replace(open_source(Path(path).expanduser(), dataset or None, split, weight), name=place)


def _weighted(text: str) -> tuple[str, float]:
    place, mark, number = text.rpartition("@")
    if not mark:
        return text, 1.0
    try:
        weight = float(number)
    except ValueError:
        # A path may hold the sign.
        if _exists(text) or not (place == NAME or _exists(place)):
            return text, 1.0
        weight = math.nan
    if not place or not 0 <= weight < math.inf:
        raise SettingsError(f"'{text}': behind @ stands a weight, a number from 0 on")
    return place, weight


def _exists(place: str) -> bool:
    return Path(place.partition("=")[2] or place).expanduser().exists()
