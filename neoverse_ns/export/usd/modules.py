"""USD's own Python modules, imported when they are needed; they come without types."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def pxr(name: str) -> Any:
    """A module of USD, such as `UsdGeom`.

    Raises:
        ImportError: usd-core is not installed.
    """
    return import_module(f"pxr.{name}")
