"""Material beside the checkout (fixtures, real clips) that tests use where it is there."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("NEOVERSE_SHARED", Path(__file__).resolve().parents[2] / "shared"))
"""Folder with fixtures, clips and weights; $NEOVERSE_SHARED overrides it."""

_REASON = "needs {}, which is not part of the project"
_NAME = re.compile(_REASON.format(r"(\S+)"))


def shared_file(name: str) -> Path:
    """Path of a shared file or folder; skips the test where it is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(_REASON.format(name))
    return path


def material_line(reasons: Iterable[str]) -> str | None:
    """One line that counts the tests skipped for want of shared material, by what they need; None where none was.

    Args:
        reasons: Why tests were skipped, whatever the reason.
    """
    needed = Counter(match[1] for match in map(_NAME.search, reasons) if match)
    if not needed:
        return None
    count = needed.total()
    names = ", ".join(f"{name} ({number})" for name, number in sorted(needed.items()))
    return f"{count} {'test needs' if count == 1 else 'tests need'} material that is not part of the project: {names}"
