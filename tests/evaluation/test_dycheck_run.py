"""A published protocol from end to end on scenes that are made here: the estimate, a run of ours beside a baseline, and
going on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.evaluate import evaluate, plan, request
from tests.evaluation.data.fabricate_dycheck import write_dycheck

ALIAS = "dycheck-neoverse@1"
SCENES = ("apple", "block", "paper-windmill", "spin", "teddy")


def test_all_five_scenes_are_planned_within_half_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # On two cores as fast as those that the parts were measured on.
    monkeypatch.setattr("neoverse_ns.evaluation.planning.costs.slowness", lambda: 1.0)
    write_dycheck(tmp_path, SCENES, frames=64, size=(720, 960), pictures=False)
    planned = plan(request(ALIAS, tmp_path, "ours,ours:steps=0"))
    assert [scene.scene for scene in planned.usable] == list(SCENES)
    for scene in planned.usable:
        assert scene.choice is not None
        assert (len(scene.choice.inputs), len(scene.choice.targets)) == (32, 64)
        assert scene.size == (720, 960)
        assert scene.missing
    assert planned.seconds["ours:steps=0"] < planned.seconds["ours"] < 30 * 60
    with pytest.raises(ClipError, match="needs a scene that is missing: space-out"):
        evaluate(request("dycheck-own@1", tmp_path, scenes=("apple", "space-out")))


def test_one_scene_from_files_to_the_table(tmp_path: Path) -> None:
    data, out = tmp_path / "iphone", tmp_path / "out"
    # The protocol does not look at the third camera.
    write_dycheck(data, ("apple",), frames=64, size=(32, 48), missing={"2": range(64)})
    asked = request(ALIAS, data, "repeat,ours:steps=0", output=out, scenes=("apple",))
    found = evaluate(asked)
    stored = json.loads((out / "result.json").read_text("utf8"))
    repeat, ours = stored["methods"]
    assert ours["id"].startswith("dycheck-5[apple]/c0t0:64:2>c1t0:64/predict-all(bundle)/plain/560x560/")
    for run in (repeat, ours):
        (scene,) = run["scenes"]
        assert scene["failed"] is None
        assert len(scene["inputs"]) == 32
        assert all(Path(name).name.startswith("0_") for name in scene["inputs"])
        assert len(scene["values"]["psnr"]) == 64
        assert all(Path(name).name.startswith("1_") for name in scene["values"]["psnr"])
        assert run["means"]["psnr"]["of"] == "64 of 64"
    assert 5 < ours["means"]["psnr"]["value"] < 50
    text = (out / "result.md").read_text("utf8")
    assert "| NeoVerse (" in text
    assert "other protocol: all scenes" in text
    again = evaluate(asked)
    assert again.methods[1].scenes == found.methods[1].scenes
