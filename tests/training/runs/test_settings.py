"""Settings of a run, and what differs when it goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from neoverse_ns.training.reconstructor.config import small
from neoverse_ns.training.runs.settings import changed_settings, plain_settings, write_settings


def test_what_changed_is_told_by_name(tmp_path: Path) -> None:
    config = small()
    before = plain_settings(config, ("steps", "validation"))
    assert before["batch.longest_side"] == 98
    assert not any(name == "steps" or name.startswith("validation") for name in before)
    write_settings(before, tmp_path)
    assert changed_settings(plain_settings(config, ()), tmp_path) == []
    other = replace(
        config, steps=7, seed=3, data=("a", "b"), network=replace(config.network, embed_dim=48), frozen=("x",)
    )
    assert changed_settings(plain_settings(other, ("steps", "frozen")), tmp_path) == [
        "data worlds, now a b",
        "seed 0, now 3",
        "network.embed_dim 96, now 48",
    ]


def test_an_older_checkpoint_does_not_say(tmp_path: Path) -> None:
    assert changed_settings({"seed": 3}, tmp_path) == []
    (tmp_path / "settings.json").write_text("{")
    assert changed_settings({"seed": 3}, tmp_path) == []
