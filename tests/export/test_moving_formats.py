"""Formats of the whole clip: read back by their own readers and drawn, they show what the layers show."""

from __future__ import annotations

from pathlib import Path

import pytest
from _benchmark.export_readers import read_npz, read_ply
from plyfile import PlyData

from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.metrics.image import psnr
from neoverse_ns.rasterize.drawing import draw_instant
from neoverse_ns.rasterize.layers import over
from tests.export.drawn import decibels, layered, views
from tests.export.layered_scene import FRAME_COUNT, moving_scene


@pytest.fixture(scope="module")
def scene() -> ExportScene:
    return moving_scene()


def test_the_scene_moves(scene: ExportScene) -> None:
    cameras = views(scene, 0.5)[[0]]
    assert psnr(layered(scene, 0.25, cameras)[0], layered(scene, 0.75, cameras)[0]) < 25


def test_a_sequence_of_ply_is_one_file_an_instant(scene: ExportScene, tmp_path: Path) -> None:
    write = export_format("ply-sequence").write
    stale = tmp_path / "ply_sequence" / "frame0042.ply"
    stale.parent.mkdir()
    stale.write_bytes(b"of a longer clip")
    files = write(scene, ExportOptions(), tmp_path)
    assert [file.name for file in files] == [f"frame{i + 1:04d}.ply" for i in range(FRAME_COUNT)]
    assert sorted(stale.parent.iterdir()) == files
    for file, time in zip(files, scene.times.tolist(), strict=True):
        shown = decibels(scene, time, read_ply(file))
        assert shown[0] > 42
        assert min(shown) > 34
    data = PlyData.read(str(files[1]))
    assert "normalised time 0.25, second 2.125 " in data.comments[0]
    assert "nx" not in data["vertex"].data.dtype.names
    # At another rate instants lie between the frames, and the same scene gives the same bytes.
    before = files[2].read_bytes()
    three = write(scene, ExportOptions(fps=6.0), tmp_path)
    assert len(three) == 4
    assert decibels(scene, 1 / 3, read_ply(three[1]))[0] > 42
    assert write(scene, ExportOptions(every=2), tmp_path)[1].read_bytes() == before


def test_a_limit_keeps_what_covers_most(scene: ExportScene, tmp_path: Path) -> None:
    (first, *_) = export_format("ply-sequence").write(scene, ExportOptions(every=4, max_gaussians=9000), tmp_path)
    now = read_ply(first)
    assert len(now.index) == 9000
    full = decibels(scene, 0.0, scene.instant(0.0, quick=True))[0]
    assert 15 < decibels(scene, 0.0, now)[0] < full
    # The far field is what is largest in the picture.
    assert (now.means[:, 2] > 30).sum() > 500


@pytest.mark.parametrize("time", [0.0, 0.25, 0.6, 1.0])
def test_npz_says_in_words_how_it_is_drawn(scene: ExportScene, time: float, tmp_path: Path) -> None:
    (path,) = export_format("npz").write(scene, ExportOptions(), tmp_path)
    cameras = views(scene, time)[[3]]
    how = cameras.viewmats, cameras.K, cameras.width, cameras.height
    drawing, *others = (draw_instant(layer, *how) for layer in read_npz(path)(time) if len(layer.index))
    for behind in others:
        drawing = over(drawing, behind)
    assert len(others) == 2
    # Layers of which next to nothing shows are not drawn here.
    assert psnr(drawing.rgb[0].clamp(0, 1), layered(scene, time, cameras)[0]) > 70


def test_npz_is_the_same_for_the_same_scene(scene: ExportScene, tmp_path: Path) -> None:
    write = export_format("npz").write
    (first,) = write(scene, ExportOptions(), tmp_path)
    before = first.read_bytes()
    assert write(scene, ExportOptions(), tmp_path)[0].read_bytes() == before
