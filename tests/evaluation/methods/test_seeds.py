"""A task's seed reaches whatever draws at random, and nothing else claims one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neoverse_ns.errors import ReconstructionError
from neoverse_ns.evaluation.judges.views.judge import judge_views
from neoverse_ns.evaluation.methods import ours
from neoverse_ns.evaluation.methods.ours import Ours
from neoverse_ns.evaluation.methods.registry import view_method
from neoverse_ns.evaluation.methods.repeat import Repeat
from neoverse_ns.evaluation.methods.seeds import seeded, uses_seed
from tests.evaluation.memory_scene import even_to_odd, protocol, room_scene


def test_the_seed_reaches_reconstructors_and_refiners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []

    def looked_at(task: Any, config: Any) -> Any:
        found.extend((config.bundle.seed, config.da3.seed))
        raise ReconstructionError("far enough")

    monkeypatch.setattr(ours, "input_scene", looked_at)
    method = view_method("ours:reconstructor=bundle,refiner=internal")
    assert isinstance(method, Ours)
    scene = room_scene(frames=3, width=32, height=24)
    result = judge_views(protocol(), scene, even_to_odd(scene), method, work=tmp_path, seed=5)
    assert (result.failed, found) == ("far enough", [5, 5])
    assert seeded(method.config, 5).refiner.seed == 5
    assert "seed" not in method.settings()["refiner"]
    assert uses_seed(method.config)


def test_who_draws_nothing_says_so(tmp_path: Path) -> None:
    scene = room_scene(frames=3, width=32, height=24)
    result = judge_views(protocol(), scene, even_to_odd(scene), Repeat(), work=tmp_path, seed=5)
    assert result.report["seed"] == "unused"
