"""Evaluations from end to end, of a stand-in: dry runs, results, going on, refusing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from neoverse_ns.errors import ClipError, LeakError, SettingsError
from neoverse_ns.evaluation.evaluate import evaluate, measure_scenes, plan, request
from neoverse_ns.evaluation.results import store
from neoverse_ns.evaluation.results.tables import markdown, means_table
from tests.cli.command_line import fails, run
from tests.evaluation.stand_ins import ASKED, GREY, GreyScene, Guess, grey_world, write_grey


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with grey_world():
        yield write_grey(tmp_path / "data", one=8, two=4)


def test_a_plan_counts_frames_and_says_what_is_missing(folder: Path) -> None:
    write_grey(folder, three=2)
    (folder / "one" / "3.txt").unlink()
    planned = plan(request("grey@1", folder))
    assert [scene.scene for scene in planned.usable] == ["one", "two"]
    lines = planned.lines()
    assert lines[0].startswith("protocol grey@1: grey-2/t0:4:2>t1:4:2/predict-all(...)")
    assert "one: 4 frames of 64x48 in, 3 judged" in lines
    assert "one: 3.txt is missing, which is judged" in lines
    assert "two: 2 frames of 64x48 in, 2 judged" in lines
    assert any("lpips-vgg will not be measured: torchvision's VGG16 is not at" in line for line in lines)
    assert planned.seconds["good"] > 0
    assert not ASKED


def test_results_say_everything(folder: Path, tmp_path: Path) -> None:
    found = evaluate(request("grey@1", folder, "good,bad", output=tmp_path / "out", seed=3))
    stored = json.loads((tmp_path / "out" / "result.json").read_text("utf8"))
    assert stored["alias"] == "grey@1"
    assert stored["seed"] == 3
    assert stored["package"]["package"] == "neoverse-ns"
    assert stored["data"]["files"] == 12
    assert len(stored["data"]["sha256"]) == 64
    assert stored["machine"]["threads"] >= 1
    assert "VGG16" in stored["unmeasured"]["lpips-vgg"]
    good, bad = stored["methods"]
    assert good["id"] == GREY.full_id("guess")
    assert good["settings"] == {"length": 4}
    assert good["scenes"][0]["values"]["psnr"] == {"1.txt": 20.0, "3.txt": 21.0, "5.txt": 22.0, "7.txt": 23.0}
    assert good["means"]["psnr"] == {"value": (21.5 + 20.5) / 2, "of": "6 of 6", "complete": True}
    assert good["means"]["lpips-vgg"]["value"] is None
    assert bad["scenes"][1]["failed"] == "two shows nothing"
    assert bad["means"]["psnr"] == {"value": 21.5, "of": "4 of 6, 1 of 2 scenes", "complete": False}
    text = (tmp_path / "out" / "result.md").read_text("utf8")
    assert text == markdown(found)
    assert "| good | 21.00 | – | grey@1 |" in text
    assert "| bad | 21.50 (4 of 6, 1 of 2 scenes) | – | grey@1 |" in text
    # What failed makes the means those of other scenes than the published ones.
    assert "| Somebody (their table 1) | 12.50 | – | other protocol: bad has 1 of 2 scenes |" in text
    assert "| Somebody else (their table 2) | 30.00 | – | other protocol |" in text
    assert "- bad, two: two shows nothing" in text
    assert means_table(found).startswith("protocol grey@1\n")


def test_what_is_done_is_not_done_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    real, calls = store.write_results, []

    def stop_after_the_first(results: object, where: Path) -> None:
        real(results, where)  # pyright: ignore
        calls.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr("neoverse_ns.evaluation.evaluate.write_results", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        evaluate(request("grey@1", folder, output=out))
    monkeypatch.undo()
    with grey_world():
        evaluate(request("grey@1", folder, output=out))
        assert ASKED == [("good", "two")]
        ASKED.clear()
        # Another method joins, and the first one's scenes stay.
        found = evaluate(request("grey@1", folder, "bad", output=out))
        assert ASKED == [("bad", "one"), ("bad", "two")]
        assert [run.method for run in found.methods] == ["bad", "good"]
        ASKED.clear()
        evaluate(request("grey@1", folder, "bad,good", output=out))
        assert ASKED == []
        evaluate(request("grey@1", folder, "bad,good", output=out, retry_failed=True))
        assert ASKED == [("bad", "two")]


def test_results_of_something_else_are_not_added_to(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluate(request("grey@1", folder, output=out))
    before = (out / "result.json").read_bytes()
    with pytest.raises(SettingsError, match=r"measured otherwise \(seed: 0 before, 1 now\)"):
        evaluate(request("grey@1", folder, output=out, seed=1))
    with pytest.raises(SettingsError, match="scenes"):
        evaluate(request("grey@1", folder, output=out, scenes=("one",)))
    (folder / "one" / "9.txt").write_text("")
    with pytest.raises(SettingsError, match=r"data's files: 12 before, 13 now"):
        evaluate(request("grey@1", folder, output=out))
    (folder / "one" / "9.txt").unlink()
    with grey_world(dataclasses.replace(GREY, revision=2)), pytest.raises(SettingsError, match="revision"):
        evaluate(request("grey@1", folder, output=out))
    assert (out / "result.json").read_bytes() == before
    (out / "result.json").write_text("[]")
    with grey_world(), pytest.raises(SettingsError, match="no result file of this version"):
        evaluate(request("grey@1", folder, output=out))


def test_missing_scenes_are_refused_or_counted(folder: Path, tmp_path: Path) -> None:
    (folder / "two").rename(folder / "zwei")
    with pytest.raises(ClipError, match=r"needs a scene that is missing: two; --allow-missing"):
        evaluate(request("grey@1", folder))
    found = evaluate(request("grey@1", folder, output=tmp_path / "out", allow_missing=True))
    assert found.missing == ["two"]
    assert "grey-2[one]/" in found.methods[0].id
    text = (tmp_path / "out" / "result.md").read_text("utf8")
    assert "| good | 21.50 (4 of 5, 1 of 2 scenes) | – | grey@1[one] |" in text
    # Figures of both scenes are no rivals to those of one.
    assert "| Somebody (their table 1) | 12.50 | – | other protocol: all scenes |" in text
    with pytest.raises(SettingsError, match="has no scene zwei"):
        evaluate(request("grey@1", folder, scenes=("zwei",)))


def test_a_leak_ends_everything(folder: Path) -> None:
    with pytest.raises(LeakError, match="two was looked at"):
        evaluate(request("grey@1", folder, "bad-spy"))


def test_scenes_without_a_file_of_results(folder: Path, tmp_path: Path) -> None:
    found = measure_scenes(GREY, folder, ["one", "two"], Guess("bad"), tmp_path)
    assert [scene.failed for scene in found] == [None, "two shows nothing"]
    assert found[1].attempted == {"psnr": 2, "lpips-vgg": 2}


def test_the_command(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("evaluate", "grey@1", "--data", folder, "--output-dir", tmp_path / "out")
    run(monkeypatch, *words, "--dry-run")
    assert "one: 4 frames of 64x48 in, 4 judged" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
    run(monkeypatch, *words, "--method", "good")
    assert "| good | 21.00 | – | grey@1 |" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *words, "--methods", "good,bad")
    assert ended.value.code == 1
    run(monkeypatch, "evaluate", "list")
    assert "grey@1  views" in capsys.readouterr().out


def test_bad_commands_end_in_one_line(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def line(*words: str | Path) -> str:
        return fails(monkeypatch, capsys, "evaluate", *words)

    assert "no protocol 'gray@1'; did you mean grey@1?" in line("gray@1")
    assert "--data: give the folder" in line("grey@1")
    assert "there is no such folder" in line("grey@1", "--data", tmp_path / "nothing")
    assert "no folder with numbered files" in line("grey@1", "--data", folder / "one")
    assert "no method named 'best'" in line("grey@1", "--data", folder, "--method", "best")
    assert "each once" in line("grey@1", "--data", folder, "--methods", "good,good")
    assert "--vgg-weights" in line("grey@1", "--data", folder, "--vgg-weights", tmp_path / "none.pth")
    assert "--scenes names none" in line("grey@1", "--data", folder, "--scenes", ",")


def test_a_scene_that_is_named_twice_counts_once(folder: Path) -> None:
    found = evaluate(request("grey@1", folder, scenes=("one", "two", "one")))
    assert found.scenes == ["one", "two"]
    assert len(ASKED) == 2


def test_two_evaluations_do_not_write_into_one_folder(folder: Path, tmp_path: Path) -> None:
    with store.held(tmp_path / "out"), pytest.raises(SettingsError, match="another evaluation writes there"):
        evaluate(request("grey@1", folder, output=tmp_path / "out"))
    assert not ASKED
    evaluate(request("grey@1", folder, output=tmp_path / "out"))
    assert len(ASKED) == 2


def test_files_that_are_missing_are_refused_before_anything_is_measured(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GreyScene, "lacks", lambda self, frame, *what: [frame.name] if frame.time == 3 else [])
    with pytest.raises(
        ClipError, match=r"needs files that are missing: 3\.txt of one, likewise of two; --allow-missing"
    ):
        evaluate(request("grey@1", folder))
    assert not ASKED
    evaluate(request("grey@1", folder, allow_missing=True))
    assert len(ASKED) == 2
