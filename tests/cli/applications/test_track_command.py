"""ns-neoverse track in this process, on a saved scene."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.reconstruct.store import save_scene
from tests.applications.track import exact_scene as exact
from tests.cli import command_line
from tests.e2e.commands import read_video


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("track")
    made = exact.exact_scene()
    assert made.source is not None
    save_scene(dataclasses.replace(made.source, gaussians=made.gaussians), folder / "scene")
    return folder / "scene"


@pytest.fixture(autouse=True)
def here(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scene.parent)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> None:
    command_line.run(monkeypatch, "track", *arguments)


def test_points_of_all_kinds_are_written(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    Path("points.csv").write_text("x,y,frame\n20.5,70.5,2\n")
    where = exact.truth().things[4].numpy() == 1
    row, column = (int(v.mean()) for v in np.nonzero(where))
    run(
        *(monkeypatch, scene, "--points", f"{column}.5,{row}.5@4", "10.5,75.5", "--file", "points.csv"),
        *("--grid", "8", "--frame", "0.5s", "--output", "out/tracks.mp4"),
    )
    told = " ".join(capsys.readouterr().out.split())
    assert "tracks_tapvid3d.npz: 43 points, " in told
    with np.load("out/tracks.npz") as file:
        queries, uv, moving = file["queries_xyt"], file["tracks_uv"], file["moving"]
        visible = file["visible"]
    assert queries[:3].tolist() == [[column + 0.5, row + 0.5, 4], [10.5, 75.5, 0], [20.5, 70.5, 2]]
    assert len(queries) == 3 + 8 * 5
    assert set(queries[3:, 2].tolist()) == {4}
    assert moving[0]
    assert not moving[1]
    np.testing.assert_allclose(uv[queries[:, 2].astype(int), np.arange(len(queries))], queries[:, :2], atol=1e-2)
    with np.load("out/tracks_tapvid3d.npz") as file:
        assert file["visibility"].tolist() == visible.tolist()
    video = read_video(Path("out/tracks.mp4"))
    assert len(video) == exact.COUNT
    assert video.shape[2] >= 720


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "say which points"),
        (("--points", "abc"), "is no point"),
        (("--points", "500,10@0"), "lies outside the pictures"),
        (("--points", "5,10@77"), "no frame 77"),
        (("--points", "5,10@9s"), "9s lies outside the clip"),
        (("--grid", "4", "--frame", "-1s"), "-1s lies outside the clip"),
        (("--grid", "0"), "at least 1"),
        (("--grid", "100000"), "at most a point a pixel"),
        (("--grid", "4", "--tail", "-1"), "--tail"),
        (("--grid", "4", "--tolerance", "2"), "tolerance"),
        (("--grid", "4", "--output", "tracks.gif"), "must end in"),
        (("--mask", "none.png"), "--mask none.png: no such file"),
        (("--file", "none.csv"), "--file none.csv: no such file"),
    ],
)
def test_bad_input_ends_in_one_line(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, flags: tuple[str, ...], words: str
) -> None:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, scene, *flags)
    assert ended.value.code == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Error:")]
    assert len(lines) == 1
    assert words in lines[0]
