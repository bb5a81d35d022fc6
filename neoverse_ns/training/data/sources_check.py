"""What can be told of sources before anything is learned from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.sets.registry import DATA_SETS
from neoverse_ns.training.data.sources import ClipSource

_LOOKED_AT = 32


def check_sources(sources: Sequence[ClipSource]) -> None:
    """Find sources without any weight, and names of data sets that nobody knows, in some rows of each source.

    Raises:
        SettingsError: There are.
        ClipError: A row is damaged.
    """
    if not any(source.weight > 0 for source in sources):
        names = ", ".join(source.name for source in sources)
        raise SettingsError(f"no clips to train on: the weights of all data ({names}) are 0; give one above 0")
    for source in sources:
        for number in np.unique(np.linspace(0, len(source.rows) - 1, _LOOKED_AT).astype(np.int64)):
            row = source.rows[int(number)]
            if row.dataset not in DATA_SETS:
                raise SettingsError(
                    f"{source.name}: clip {row.id} is of no known data set, '{row.dataset}': choose one of "
                    f"{', '.join(sorted(DATA_SETS))}"
                )


def described(sources: Sequence[ClipSource]) -> list[str]:
    """A line for each source: how many clips it has, as an epoch counts them, and its share of all samples."""
    total = sum(source.weight for source in sources)
    return [f"{source.name}: {len(source.rows):,} clips, {source.weight / total:.1%} of samples" for source in sources]
