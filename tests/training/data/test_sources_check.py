"""Sources that nothing can be learned from are told before training begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.manifest import write_manifest
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.data.sets.worlds import WorldRows
from neoverse_ns.training.data.sources_check import check_sources, described
from neoverse_ns.training.data.sources_text import sources_of


def test_weights_of_nothing_and_unknown_sets_are_refused(tmp_path: Path) -> None:
    plan = PlanConfig()
    rows = list(WorldRows(4))
    write_manifest([*rows[:3], replace(rows[3], dataset="nosuch")], tmp_path / "clips.jsonl")
    with pytest.raises(SettingsError, match=r"clip train-000000003 is of no known data set, 'nosuch'"):
        check_sources(sources_of([f"{tmp_path}/clips.jsonl"], plan))
    with pytest.raises(SettingsError, match=r"weights of all data \(worlds\) are 0"):
        check_sources(sources_of(["worlds@0"], plan))


def test_shares_are_told(tmp_path: Path) -> None:
    write_manifest(list(WorldRows(4)), tmp_path / "clips.jsonl")
    sources = sources_of([f"{tmp_path}/clips.jsonl@3", "worlds"], PlanConfig())
    check_sources(sources)
    assert described(sources) == [
        f"{tmp_path}/clips.jsonl: 4 clips, 75.0% of samples",
        "worlds: 1,000,000 clips, 25.0% of samples",
    ]
