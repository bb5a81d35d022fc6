"""Which instants of a run are looked at, and files written once however often they are asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from _benchmark.exported import KINDS, Files, Remembering, choose_instants
from benchmark_export import ExportBenchmark, clip_of, header

from neoverse_ns.export.registry import FORMATS
from tests.export.drawn import decibels
from tests.export.layered_scene import moving_scene


def test_ends_and_held_out_frames_come_first() -> None:
    times = torch.linspace(0, 1, 25)
    instants = choose_instants(times, [4, 12, 20], 5)
    assert instants.frames == [0, 4, 12, 20, 24]
    assert instants.between == pytest.approx([0.5 / 24, 8.167 / 24 - 0.667 / 24, 15.5 / 24, 23.5 / 24], abs=0.05)
    # More are spread over the clip; fewer never leave a held-out one out.
    assert choose_instants(times, [4], 4).frames == [0, 4, 8, 24]
    assert choose_instants(times, [1, 2, 3], 2).frames == [0, 1, 2, 3, 24]
    assert choose_instants(times[:1], [], 5).between == []


def test_every_kind_is_a_format_and_the_header_names_the_run(tmp_path: Path) -> None:
    assert set(KINDS) <= set(FORMATS)
    assert clip_of(tmp_path / "dog" / "neoverse" / "t" / "config.yml") == "dog"
    assert "5 frames" in header(ExportBenchmark([]))["protocol"]


def test_a_file_of_the_clip_is_written_once_and_one_of_an_instant_each_time(tmp_path: Path) -> None:
    scene = Remembering(**vars(moving_scene()))
    clip = Files(scene, "ply-sequence", tmp_path / "clip")
    for time in (0.0, 0.5):
        (now,) = clip.show(time)
        assert decibels(scene, time, now)[0] > 42
    assert len(clip.seconds) == 1
    assert clip.megabytes == pytest.approx(sum(f.stat().st_size for f in tmp_path.rglob("*.ply")) / 1e6)
    assert len(scene.spent[True]) == 5
    instant = Files(scene, "glb", tmp_path / "instant")
    for _ in range(2):
        (now,) = instant.show(0.5)
        assert decibels(scene, 0.5, now)[0] > 42
    assert len(instant.seconds) == 2
    # What shows was decided once.
    assert len(scene.spent[False]) == 1
