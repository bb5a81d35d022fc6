"""The settings that shape a run, kept with its checkpoints, so that going on with others does not stay unnoticed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neoverse_ns.errors import UNREADABLE
from neoverse_ns.training.runs.checkpoints import told_where

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SETTINGS = "settings.json"

Plain = dict[str, Any]
"""Settings by their names as flags have them (`batch.longest_side`), as JSON has their values."""


def plain_settings(config: DataclassInstance, without: Iterable[str]) -> Plain:
    """Every setting, but those named or below one that is named."""
    # What was read from a file shall equal what was written there.
    plain = json.loads(json.dumps(asdict(config), default=str))
    left_out = tuple(without)
    return {
        name: value
        for name, value in _flat("", plain)
        if not any(name == one or name.startswith(f"{one}.") for one in left_out)
    }


def write_settings(settings: Plain, checkpoint: Path) -> None:
    """Put them into a checkpoint that is being written.

    Raises:
        RunError: They cannot be written.
    """
    with told_where(checkpoint):
        (checkpoint / SETTINGS).write_text(json.dumps(settings, indent=1), "utf8")


def changed_settings(settings: Plain, checkpoint: Path) -> list[str]:
    """What differs from when the checkpoint was written, as `seed 0, now 1`; nothing where it does not say."""
    try:
        before = json.loads((checkpoint / SETTINGS).read_text("utf8"))
    except UNREADABLE:
        return []
    if not isinstance(before, dict):
        return []
    return [
        f"{name} {_said(before[name])}, now {_said(value)}"
        for name, value in settings.items()
        if name in before and before[name] != value
    ]


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value


def _said(value: Any) -> str:
    return (" ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
