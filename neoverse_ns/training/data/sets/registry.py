"""Which layouts there are; each is imported when it is first asked for."""

from __future__ import annotations

import importlib

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.sets.base import DataSet

DATA_SETS: dict[str, str] = {
    "worlds": "neoverse_ns.training.data.sets.worlds:Worlds",
}
"""Module and class of every layout, by its name."""


def data_set(name: str) -> DataSet:
    """The layout of that name.

    Raises:
        SettingsError: There is none.
    """
    if name not in DATA_SETS:
        raise SettingsError(f"no data set '{name}': choose one of {', '.join(sorted(DATA_SETS))}")
    module, _, kind = DATA_SETS[name].partition(":")
    return getattr(importlib.import_module(module), kind)()
