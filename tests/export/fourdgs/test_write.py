"""`.4dgs` files: valid by their own tool, read back by their own reader, drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from _benchmark.export_readers import read_fourdgs

from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, LayeredGaussians
from tests.export.drawn import decibels
from tests.export.layered_scene import moving_scene

fourdgs = pytest.importorskip("fourdgs")


@pytest.fixture(scope="module")
def scene() -> ExportScene:
    return moving_scene()


@pytest.fixture(scope="module")
def file(scene: ExportScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = export_format("4dgs").write(scene, ExportOptions(), tmp_path_factory.mktemp("fourdgs"))
    return path


def second(scene: ExportScene, time: float) -> float:
    return scene.second_at(time) - scene.second_at(0.0)


def test_it_shows_every_frame_and_what_lies_between(scene: ExportScene, file: Path) -> None:
    state = read_fourdgs(file)
    for time in scene.times.tolist():
        shown = decibels(scene, time, state(second(scene, time)), up="y")
        assert shown[0] > 42, time
        assert min(shown) > 34, time
    for time in (0.1, 0.3, 0.6, 0.9):
        assert decibels(scene, time, state(second(scene, time)), up="y")[0] > 38, time


def test_its_own_tool_finds_it_valid(file: Path) -> None:
    from fourdgs.validate import validate

    report = validate(file.read_bytes())
    assert report.ok
    assert not [finding for finding in report.findings if finding.severity != "note"]


def test_it_says_what_it_is(scene: ExportScene, file: Path) -> None:
    read = fourdgs.read(str(file))
    assert read.header.duration_sec == pytest.approx(0.5625)
    assert read.header.cutoff == pytest.approx(1 / 255)
    attributes = read.header.attributes
    assert (attributes["coordinate_system"], attributes["color_space"]) == ("y-up-right-handed", "srgb-rec709-display")
    g = read.gaussians
    count = len(np.unique(np.stack([g.win_lo, g.win_hi], axis=1), axis=0))
    # Writers take time for every one of them.
    assert count < 120
    # Nothing lasts beyond the file, and what stands still has no motion to store.
    assert g.win_hi.max() <= read.header.duration_sec
    assert (np.abs(g.motions).max(axis=1) == 0).mean() > 0.5


def test_other_axes_a_limit_and_the_same_bytes(scene: ExportScene, file: Path, tmp_path: Path) -> None:
    write = export_format("4dgs").write
    before = file.read_bytes()
    (again,) = write(scene, ExportOptions(), tmp_path)
    assert again.read_bytes() == before
    (standing,) = write(scene, ExportOptions(up="z"), tmp_path)
    assert decibels(scene, 0.5, read_fourdgs(standing)(0.25), up="z")[0] > 42
    (thin,) = write(scene, ExportOptions(max_gaussians=5000), tmp_path)
    assert len(thin.read_bytes()) < 0.3 * len(before)


def test_a_single_picture_stands_still(scene: ExportScene, tmp_path: Path) -> None:
    """Without a moving Gaussian, a layer behind, or a second frame."""
    wall = scene.gaussians[BACKGROUND]
    still = ExportScene(LayeredGaussians({FRAMES: wall}), scene.cameras[[0]], scene.times[:1], scene.seconds[:1])
    (path,) = export_format("4dgs").write(still, ExportOptions(), tmp_path)
    state = read_fourdgs(path)
    assert fourdgs.read(str(path)).header.duration_sec == 1.0
    assert len(state(0.0).index) == len(state(0.9).index) == len(wall)
