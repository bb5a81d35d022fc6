"""COLMAP beside our own solver; what runs it skips without pycolmap."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import benchmark_colmap
import cv2
import numpy as np
import pytest
from _benchmark.colmap import measure_colmap, measure_openmvg

from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic
from neoverse_ns.errors import PackageError
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip, load_benchmark_clip
from neoverse_ns.evaluation.data.clips.windows import geometry_window
from neoverse_ns.evaluation.methods.solvers.colmap import MAPPINGS, import_pycolmap
from neoverse_ns.evaluation.methods.solvers.openmvg import describe_openmvg, import_openmvg


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
        folder / "courtyard", geometry_window(2.0, 3.0), tmp_path_factory.mktemp("work"), width=160
    )


def test_cameras_of_a_known_scene_come_out_right(sample: BenchmarkClip, tmp_path: Path) -> None:
    results = measure_colmap(sample, tmp_path / "work", seed=0)
    assert list(results) == list(MAPPINGS)
    incremental, globally = results["colmap"], results["glomap"]
    assert incremental["frames"] == 9
    assert incremental["solved"] >= 7
    assert incremental["ate_percent_of_path"] < 2
    assert incremental["rotation_degrees_per_step"] < 0.2
    assert abs(incremental["focal_error_percent"]) < 10
    if globally["solved"]:
        assert globally["ate_percent_of_path"] < 5
        assert globally["rotation_degrees_per_step"] < 0.5
    else:
        assert "no global mapping" in globally["notes"][0] or "no model" in globally["notes"][0]
    # Both have what they share in their times.
    assert incremental["matching_seconds"] == globally["matching_seconds"] < incremental["seconds"]
    assert (sample.clip.width, sample.clip.height) == (160, 96)
    first = cv2.imread(str(tmp_path / "work" / "matches" / "images" / "00000.png"))
    assert first.shape == (192, 320, 3)


def test_frames_that_show_nothing_are_listed_with_the_reason(sample: BenchmarkClip, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for place in range(9):
        cv2.imwrite(str(images / f"{place}.png"), np.full((192, 320, 3), 90, np.uint8))
    blank = replace(sample, source=images)
    for name, result in measure_colmap(blank, tmp_path / "work", seed=0).items():
        assert result["solved"] == 0
        if name == "colmap":
            assert result["notes"] == ["no model: no two of 9 frames matched"]
            assert result["seconds"] > 0
    if import_openmvg() is not None:
        found = measure_openmvg(blank, tmp_path / "other", seed=0)
        assert found is not None
        assert found["solved"] == 0
        assert "no model" in found["notes"][0]


def test_global_mapping_that_is_not_there_is_said(
    sample: BenchmarkClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pycolmap = import_pycolmap()
    monkeypatch.delattr(pycolmap, "global_mapping", raising=False)
    result = measure_colmap(sample, tmp_path / "work", seed=0)["glomap"]
    assert result["solved"] == 0
    assert result["notes"] == [f"pycolmap {pycolmap.__version__} has no global mapping"]


class View(NamedTuple):
    """What openmvg-rs gives for an image, as far as it is read."""

    image: Path
    pose: SimpleNamespace
    camera: SimpleNamespace


def test_openmvgs_cameras_are_read_in_our_conventions(
    sample: BenchmarkClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in that knows the truth: pixel centres at whole numbers, world to camera, frames 3 and 5 left out."""
    assert sample.cameras is not None
    cameras = sample.cameras

    def reconstruct(images: Path, seed: int, progress: bool) -> SimpleNamespace:
        assert not progress
        views = []
        for place, image in enumerate(sorted(images.iterdir())):
            view, K = cameras.viewmats[place].numpy(), cameras.K[place].numpy().copy()
            K[:2] *= 2
            K[:2, 2] -= 0.5
            pose = SimpleNamespace(rotation=view[:3, :3], translation=view[:3, 3], center=-view[:3, :3].T @ view[:3, 3])
            views.append(View(image, pose, SimpleNamespace(matrix=K, width=320, height=192)))
        return SimpleNamespace(views=tuple(views[:3] + views[4:5] + views[6:]))

    fake = ModuleType("openmvg_rs")
    vars(fake).update(reconstruct=reconstruct, OpenMVGError=RuntimeError)
    monkeypatch.setitem(sys.modules, "openmvg_rs", fake)
    result = measure_openmvg(sample, tmp_path / "work", seed=0)
    assert result is not None
    assert (result["frames"], result["solved"]) == (9, 7)
    assert result["ate_percent_of_path"] < 1e-3
    assert result["rotation_degrees_per_step"] < 1e-3
    assert abs(result["focal_error_percent"]) < 1e-3


def test_without_openmvg_that_is_what_the_table_says(
    sample: BenchmarkClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openmvg_rs", None)
    assert measure_openmvg(sample, tmp_path / "work", seed=0) is None
    assert describe_openmvg(0) == "not installed (openmvg-rs)"


def test_the_script_puts_all_side_by_side(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"json": tmp_path / "all.json", "markdown": tmp_path / "all.md"}
    arguments = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    arguments += ["--remark", "measured on a busy machine"]
    monkeypatch.setattr(sys, "argv", ["benchmark_colmap.py", "--clips", str(folder), *arguments])
    assert benchmark_colmap.main() == 0
    row = json.loads(files["json"].read_text())["clips"][0]
    assert row["ours"]["frames"] == row["colmap"]["frames"] == row["glomap"]["frames"] == 9
    assert ("openmvg" in row) == (import_openmvg() is not None)
    assert row["times_faster"] == pytest.approx(row["colmap"]["seconds"] / row["ours"]["seconds"])
    text = files["markdown"].read_text()
    assert "simple-pinhole" in text
    assert "COLMAP global solved" in text
    assert "- remark: measured on a busy machine" in text


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
    with pytest.raises(PackageError, match=r"pycolmap 3\.11\.1 is too old.*pycolmap>=3\.13"):
        import_pycolmap()
