"""Data sets of the tests."""

from __future__ import annotations

import pytest

from neoverse_ns.training.data.sets import registry
from tests.training.data import toy_set


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry knows the toys."""
    monkeypatch.setattr(registry, "DATA_SETS", registry.DATA_SETS | toy_set.SETS)
