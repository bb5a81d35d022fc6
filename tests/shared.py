"""Material beside the checkout (fixtures, real clips) that tests use where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("NEOVERSE_SHARED", Path(__file__).resolve().parents[2] / "shared"))
"""Folder with fixtures, clips and weights; $NEOVERSE_SHARED overrides it."""


def shared_file(name: str) -> Path:
    """Path of a shared file or folder; skips the test where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs {name}, which is not part of the project")
    return path
