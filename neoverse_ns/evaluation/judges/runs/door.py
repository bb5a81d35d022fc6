"""The way to finished runs of `ns-train`, which nerfstudio's side opens."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

DOOR = "neoverse_ns.api.runs"
"""By name: nerfstudio's side measures by this package, which therefore cannot be built on it."""


def open_trained(run: Path) -> Any:
    """See :func:`neoverse_ns.api.runs.open_trained`.

    Raises:
        RunError: It is missing, or another method's.
    """
    return import_module(DOOR).open_trained(run)
