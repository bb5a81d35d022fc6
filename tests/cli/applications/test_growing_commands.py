"""`ns-neoverse extend` and `multiview` on a saved scene: what they refuse before long work, and what they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from neoverse_ns.api.runs import load
from neoverse_ns.cli.applications.extend import Extend, view_name
from neoverse_ns.cli.applications.multiview import Multiview
from neoverse_ns.cli.export import Export
from neoverse_ns.errors import NeoVerseError, SettingsError
from neoverse_ns.gaussians.layers import FRAMES, INPAINTED
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.reconstruct.store import save_scene
from tests.applications.extend.walled import walled_scene
from tests.e2e.commands import read_video
from tests.generate.stage.wall import HEIGHT, WIDTH

TELEA = RefinerConfig(refiner="telea")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    source = walled_scene().source
    assert source is not None
    save_scene(source, tmp_path / "saved")
    return tmp_path / "saved"


def test_extend_leaves_views_masks_and_a_scene_that_extends_again(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    Extend(saved, trajectory=("pan_left", "pan_right"), output=out, refine=TELEA, num_frames=4).run()
    for name in ("1_pan_left", "2_pan_right"):
        for ending in ("", "_invented"):
            assert read_video(out / f"{name}{ending}.mp4").shape == (4, HEIGHT, WIDTH, 3)
    grown = load(out / "scene")
    assert INPAINTED in grown.gaussians
    said = capsys.readouterr().out.replace("\n", " ")
    assert f"{len(grown.gaussians.layer(INPAINTED)):,} new Gaussians" in said.split("wrote")[-1]
    before = (out / "1_pan_left.mp4").read_bytes()
    for command in (
        Extend(saved, trajectory=("tilt_up",), output=out, refine=TELEA),
        Multiview(source=saved, output=out, refine=TELEA),
    ):
        with pytest.raises(NeoVerseError, match=r"not empty.* or go on from .*scene"):
            command.run()
    Extend(out / "scene", trajectory=("tilt_up",), output=out, refine=TELEA, num_frames=2).run()
    assert (out / "1_pan_left.mp4").read_bytes() == before
    assert (out / "3_tilt_up.mp4").is_file()
    assert len(load(out / "scene").gaussians.layer(INPAINTED)) > len(grown.gaussians.layer(INPAINTED))


def test_exports_keep_what_was_invented_apart(saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    Extend(saved, trajectory=("pan_left",), output=out, refine=TELEA, num_frames=2).run()
    counts = {}
    for kind in ("with", "without", "alone"):
        Export(out / "scene", tmp_path / kind, format="ply", invented=kind).run()
        header = (tmp_path / kind / "gaussians.ply").read_bytes()[:4000].decode("latin1")
        counts[kind] = int(header.partition("element vertex ")[2].split()[0])
    scene = load(out / "scene").gaussians
    assert counts["alone"] == len(scene.layer(INPAINTED))
    assert counts["without"] == len(scene.layer(FRAMES))
    assert counts["without"] < counts["with"] <= counts["without"] + counts["alone"]
    with pytest.raises(SettingsError, match="nothing was made up"):
        Export(saved, tmp_path / "none", format="ply", invented="alone").run()


@pytest.mark.parametrize("count", [1, 5])
def test_multiview_leaves_a_file_per_camera_and_their_document(count: int, tmp_path: Path) -> None:
    source = walled_scene(count).source
    assert source is not None
    save_scene(source, tmp_path / "saved")
    out = tmp_path / "out"
    Multiview(source=tmp_path / "saved", output=out, views="left, right", angle=12.0, rings=2, refine=TELEA).run()
    document = json.loads((out / "cameras.json").read_text("utf8"))
    assert list(document["views"]) == ["front", "left_1", "right_1", "left_2", "right_2"]
    for row in document["views"].values():
        assert len(row["c2w"]) == count
        if count == 1:
            picture = cv2.imread(str(out / row["file"]))
            assert picture is not None
            assert picture.shape == (HEIGHT, WIDTH, 3)
        else:
            assert read_video(out / row["file"]).shape == (count, HEIGHT, WIDTH, 3)
    assert INPAINTED in load(out / "scene").gaussians
    with pytest.raises(NeoVerseError, match=r"cameras\.json and its views would be replaced"):
        Multiview(source=out / "scene", output=out, refine=TELEA).run()


def test_without_a_refiner_nothing_is_called_invented(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    Multiview(source=saved, output=out, views="left", angle=12.0, refine=RefinerConfig(refiner="none")).run()
    assert {path.name for path in out.glob("left*")} == {"left_1.mp4", "left_1_unseen.mp4"}
    said = " ".join(capsys.readouterr().out.split())
    assert "% not seen by the clip" in said
    assert "invented" not in said


@pytest.mark.parametrize(
    ("command", "changes", "said"),
    [
        (Extend, {"trajectory": ()}, "--trajectory"),
        (Extend, {"refine": RefinerConfig(refiner="none")}, "--refiner none"),
        (Extend, {"refine": RefinerConfig(refiner="magic")}, "magic"),
        (Extend, {"num_frames": 0}, "num"),
        (Multiview, {"views": "left,top"}, "top"),
        (Multiview, {"views": ","}, "none"),
        (Multiview, {"angle": -1.0}, "angle"),
        (Multiview, {"optimise": -1}, "steps"),
        (Multiview, {"refine": RefinerConfig(refiner="magic")}, "magic"),
    ],
)
def test_bad_input_is_told_before_anything_is_opened(
    command: Any, changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    # There is no such run: whoever looked for it would say so.
    missing = tmp_path / "missing"
    given: dict[str, Any] = (
        {"trajectory": ("pan_left",), "run_path": missing} if command is Extend else {"source": missing}
    )
    with pytest.raises(NeoVerseError, match=said):
        command(**(given | {"output": tmp_path / "out", "refine": TELEA} | changes)).run()
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_something_else_is_refused(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    for command in (
        Extend(saved, trajectory=("pan_left",), output=tmp_path / "out", refine=TELEA),
        Multiview(source=saved, output=tmp_path / "out", refine=TELEA),
    ):
        with pytest.raises(NeoVerseError, match="is a file"):
            command.run()


def test_files_are_called_after_their_trajectories() -> None:
    assert view_name(1, "pan_left") == "1_pan_left"
    assert view_name(2, "orbit:degrees=60 + handheld") == "2_orbit_degrees_60_handheld"
    assert view_name(3, "some/where/my path.json") == "3_my_path"
