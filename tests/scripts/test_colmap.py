"""COLMAP beside our own solver; what runs it skips without pycolmap."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import benchmark_colmap
import cv2
import numpy as np
import pytest
from _benchmark.clips import BenchmarkClip, load_benchmark_clip
from _benchmark.colmap import import_pycolmap, measure_colmap
from _benchmark.protocols import geometry_protocol

from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic
from neoverse_ns.errors import SettingsError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pycolmap")
    root = tmp_path_factory.mktemp("clips")
    save_synthetic(render_synthetic(9, 320, 192), root / "courtyard")
    return root


@pytest.fixture(scope="module")
def sample(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> BenchmarkClip:
    # Smaller than the source, which COLMAP must get all the same.
    return load_benchmark_clip(
        folder / "courtyard", geometry_protocol(2.0, 3.0), tmp_path_factory.mktemp("work"), width=160
    )


def test_cameras_of_a_known_scene_come_out_right(sample: BenchmarkClip, tmp_path: Path) -> None:
    result = measure_colmap(sample, tmp_path / "work", seed=0)
    assert result["frames"] == 9
    assert result["solved"] >= 7
    assert result["ate_percent_of_path"] < 2
    assert result["rotation_degrees_per_step"] < 0.2
    assert abs(result["focal_error_percent"]) < 10
    assert (sample.clip.width, sample.clip.height) == (160, 96)
    first = cv2.imread(str(tmp_path / "work" / "images" / "00000.png"))
    assert first.shape == (192, 320, 3)


def test_frames_that_show_nothing_are_listed_with_the_reason(sample: BenchmarkClip, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for place in range(9):
        cv2.imwrite(str(images / f"{place}.png"), np.full((192, 320, 3), 90, np.uint8))
    result = measure_colmap(replace(sample, source=images), tmp_path / "work", seed=0)
    assert result["solved"] == 0
    assert result["notes"] == ["no model: no two of 9 frames matched"]
    assert result["seconds"] > 0


def test_the_script_puts_both_side_by_side(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"json": tmp_path / "both.json", "markdown": tmp_path / "both.md"}
    arguments = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    monkeypatch.setattr(sys, "argv", ["benchmark_colmap.py", "--clips", str(folder), *arguments])
    assert benchmark_colmap.main() == 0
    row = json.loads(files["json"].read_text())["clips"][0]
    assert row["ours"]["frames"] == row["colmap"]["frames"] == 9
    assert row["times_faster"] == pytest.approx(row["colmap"]["seconds"] / row["ours"]["seconds"])
    assert "simple-pinhole" in files["markdown"].read_text()


def test_without_pycolmap_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # None in sys.modules makes the import fail as if the package were missing.
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    monkeypatch.setattr(sys, "argv", ["benchmark_colmap.py", "--clips", str(tmp_path)])
    assert benchmark_colmap.main() == 1
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 1
    assert "pip install 'neoverse-ns[geometry]'" in lines[0]


def test_an_old_pycolmap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    old = SimpleNamespace(IncrementalPipelineOptions=SimpleNamespace, __version__="3.11.1")
    monkeypatch.setitem(sys.modules, "pycolmap", old)
    with pytest.raises(SettingsError, match=r"pycolmap 3\.11\.1 is too old.*pycolmap>=3\.13"):
        import_pycolmap()
