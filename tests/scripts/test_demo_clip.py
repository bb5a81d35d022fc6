"""The synthetic clip as one more clip of the benchmark."""

from __future__ import annotations

from pathlib import Path

import benchmark
import pytest
import torch

from neoverse_ns.clip.synthetic import render_synthetic
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.demo import render_demo, render_demo_still, still_clip
from neoverse_ns.evaluation.data.clips.folder import load_benchmark_clip
from neoverse_ns.evaluation.data.clips.windows import geometry_window


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the clip's size, so that rendering takes no time."""
    monkeypatch.setattr(
        "neoverse_ns.evaluation.data.clips.demo.render_synthetic", lambda frames: render_synthetic(frames, 96, 64)
    )
    monkeypatch.setattr("neoverse_ns.evaluation.data.clips.demo.still_clip", lambda frames: still_clip(5, 64, 48))


def test_demo_has_all_truths(tmp_path: Path) -> None:
    sample = load_benchmark_clip(render_demo(tmp_path, 16), geometry_window(2.0, 3.0), tmp_path)
    assert sample.name == "demo"
    assert len(sample.clip) == 16
    assert sample.clip.frame_indices[-1] == 24
    assert sample.cameras is not None
    assert sample.depth is not None
    assert sample.dynamic is not None
    assert 0 < sample.dynamic.float().mean() < 0.5
    assert torch.isfinite(sample.depth).all()


def test_the_clip_from_a_tripod_has_no_second_camera(tmp_path: Path) -> None:
    sample = load_benchmark_clip(render_demo_still(tmp_path, 9), geometry_window(2.0, 3.0), tmp_path)
    assert sample.name == "demo_still"
    assert sample.right_frames is None
    assert sample.things is not None
    assert sample.cameras is not None
    assert torch.equal(sample.cameras.c2w, sample.cameras.c2w[:1].expand(5, 4, 4))


def test_demo_is_chosen_by_name(tmp_path: Path) -> None:
    (tmp_path / "clips" / "one" / "images").mkdir(parents=True)

    def names(only: str | None) -> list[str]:
        options = benchmark.Benchmark(tmp_path / "clips", only=only)
        return [folder.name for folder in benchmark._choose_clips(options, tmp_path / "work")]

    assert names(None) == ["one", "demo", "demo_still"]
    assert names("one") == ["one"]
    assert names("demo") == ["demo"]
    assert names("demo_still,one") == ["one", "demo_still"]
    with pytest.raises(ClipError, match="no clip named absent"):
        names("absent,demo")
