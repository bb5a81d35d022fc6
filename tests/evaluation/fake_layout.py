"""Makes the fake data set and method known while a test runs."""

from __future__ import annotations

import pytest

from neoverse_ns.evaluation.data.registry import BENCHMARK_DATA
from neoverse_ns.evaluation.kinds import KINDS, KindOfProtocol


def fake_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views are judged by `fake_views.judge`, on layouts `fake`, `clips` and `tum`."""
    place = "tests.evaluation.fake_views"
    for layout in ("fake", "clips", "tum"):
        monkeypatch.setitem(BENCHMARK_DATA, layout, f"{place}:FakeData")
    monkeypatch.setitem(KINDS, "views", KindOfProtocol(f"{place}:make", f"{place}:judge", "ours"))
