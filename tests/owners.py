"""Making files look as if another user had left them, whoever runs the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `path` alone, not what lies in it, belong to somebody else: only in what lstat says, as root alone can."""
    real = Path.lstat

    def lstat(self: Path) -> os.stat_result:
        found = real(self)
        if self != path:
            return found
        values = list(found)
        values[4] += 1
        return os.stat_result(values)

    monkeypatch.setattr(Path, "lstat", lstat)
