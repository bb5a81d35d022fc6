"""What is refused before anything is measured, in a dry run as in a run, and in which words."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import ClipError, PackageError, SettingsError, WeightsError
from neoverse_ns.evaluation.ablations.measure import check_ablated
from neoverse_ns.evaluation.evaluate import evaluate, plan, request
from neoverse_ns.evaluation.kinds import KINDS
from neoverse_ns.evaluation.metric_files import MetricFiles
from neoverse_ns.evaluation.planning.plan import make_plan
from neoverse_ns.evaluation.protocol.aliases import protocol
from neoverse_ns.evaluation.protocol.positions import Span
from neoverse_ns.evaluation.protocol.rules import Pick, Rule
from neoverse_ns.evaluation.results.provenance import code_digest
from neoverse_ns.evaluation.results.tables import means_table
from tests.cli.command_line import fails, run
from tests.evaluation.data.fabricate_dycheck import write_dycheck
from tests.evaluation.stand_ins import ASKED, GreyScene, grey_world, write_grey


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with grey_world():
        yield write_grey(tmp_path / "data", one=8, two=4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ours:device=foo", "device 'foo'"),
        ("ours:device=cuda:99", "not on this machine"),
        ("ours:refiner=foo", "unknown refiner 'foo'"),
        ("ours:keyframes=0", "keyframes must be at least 1"),
        ("ours:reconstructor=foo", "reconstructor must be .* got 'foo'"),
        ("ours:steps=0,steps=5", "steps is set twice"),
    ],
)
def test_settings_that_cannot_be_used(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        KINDS["views"].checked(text)


@pytest.mark.parametrize("kind", ["views", "cameras"])
def test_a_network_without_weights(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neoverse_ns.evaluation.methods.ours_check.weights_available", lambda config: None)
    monkeypatch.setattr("neoverse_ns.weights.hub.find_weights", lambda config: None)
    text = "ours:reconstructor=network" if kind == "views" else "network"
    with pytest.raises(WeightsError):
        KINDS[kind].checked(text)


def test_a_solver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    monkeypatch.setitem(sys.modules, "openmvg_rs", None)
    for name in ("colmap", "glomap", "openmvg"):
        with pytest.raises(PackageError, match="pip install"):
            KINDS["cameras"].checked(name)


def test_a_file_that_is_no_weights(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("print('no weights')\n")
    with pytest.raises(WeightsError, match=r"--vgg-weights .*wrong.py: .* no file of torch's weights$"):
        plan(request("grey@1", folder, weights=MetricFiles(vgg16=wrong)))
    torch.save({"features.0.weight": torch.zeros(1)}, wrong)
    with pytest.raises(WeightsError, match="not torchvision's"):
        evaluate(request("grey@1", folder, weights=MetricFiles(vgg16=wrong)))
    assert not ASKED


def test_a_place_that_results_cannot_be_written_to(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/none")):
        with pytest.raises(SettingsError, match="results cannot be written"):
            evaluate(request("grey@1", folder, output=place))
    assert not ASKED


def test_a_dry_run_ends_as_the_run_would(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (folder / "two").rename(folder / "zwei")
    words = ("evaluate", "grey@1", "--data", folder, "--output-dir", tmp_path / "out", "--dry-run")
    assert "--allow-missing" in fails(monkeypatch, capsys, *words)
    run(monkeypatch, *words, "--allow-missing")
    assert "grey-2[one]/" in capsys.readouterr().out


def test_a_folder_one_level_too_deep_and_a_scene_that_lacks_its_lists(tmp_path: Path) -> None:
    write_dycheck(tmp_path / "iphone", ("apple",), frames=2, pictures=False)
    wanted = protocol("dycheck-own@1")
    with pytest.raises(ClipError, match=rf"itself a scene: give the folder around it, --data {tmp_path}/iphone$"):
        make_plan(wanted, tmp_path / "iphone" / "apple", ["repeat"], ["apple"])
    (tmp_path / "iphone" / "apple" / "splits" / "val.json").unlink()
    (lacking,) = make_plan(wanted, tmp_path / "iphone", ["repeat"], ["apple"]).scenes
    assert lacking.problem is not None
    assert "splits/val.json" in lacking.problem


def test_too_few_times_are_told_by_what_the_whole_rule_needs(tmp_path: Path) -> None:
    scene = GreyScene(write_grey(tmp_path, one=8) / "one")
    with pytest.raises(ClipError, match=r"has 8 times that .* can count on, and it needs 64$"):
        Rule(Pick(Span(0, 64, 2)), Pick(Span(0, 64)))(scene)


def test_empty_cells_are_explained_below_the_table(folder: Path) -> None:
    table = means_table(evaluate(request("grey@1", folder, "bad")))
    reason = next(line for line in table.splitlines() if line.startswith("- lpips-vgg is not measured"))
    assert "--vgg-weights names one that lies elsewhere" in reason
    assert "- bad, two: two shows nothing" in table


def test_what_cannot_be_ablated() -> None:
    with pytest.raises(SettingsError, match="--method repeat"):
        check_ablated(protocol("dycheck-own@1"), "repeat")
    with pytest.raises(SettingsError, match="clips-cameras@1 asks for cameras"):
        check_ablated(protocol("clips-cameras@1"), "ours")


def test_results_go_on_over_commits_that_change_no_code(folder: Path, tmp_path: Path) -> None:
    asked = request("grey@1", folder, output=tmp_path / "out")
    evaluate(asked)
    ASKED.clear()
    file = tmp_path / "out" / "result.json"
    stored = json.loads(file.read_text("utf8"))
    file.write_text(json.dumps(stored | {"package": stored["package"] | {"commit": "another"}}))
    evaluate(asked)
    assert not ASKED
    file.write_text(json.dumps(stored | {"package": stored["package"] | {"code": "another"}}))
    with pytest.raises(SettingsError, match=r"measured otherwise .*code.* another --output-dir, or delete"):
        evaluate(asked)


def test_code_is_told_by_what_runs(tmp_path: Path) -> None:
    (tmp_path / "cli").mkdir()
    for name in ("a.py", "cli/b.py", "c.txt"):
        (tmp_path / name).write_text("1")
    before = code_digest(tmp_path)
    (tmp_path / "cli" / "b.py").write_text("2")
    (tmp_path / "c.txt").write_text("2")
    assert code_digest(tmp_path) == before
    (tmp_path / "a.py").write_text("2")
    assert code_digest(tmp_path) != before


def test_pictures_are_kept_where_there_are_any(folder: Path, tmp_path: Path) -> None:
    asked = request("grey@1", folder, output=tmp_path / "out", keep=True)
    with pytest.raises(SettingsError, match="--keep"):
        evaluate(asked)
    with grey_world(shows=True):
        evaluate(asked)
    places = sorted(place.relative_to(tmp_path).as_posix() for place in tmp_path.glob("out/shown/*/*"))
    assert places == ["out/shown/good/one", "out/shown/good/two"]
