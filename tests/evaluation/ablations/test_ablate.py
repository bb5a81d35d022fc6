"""A whole ablation of a method whose values are known."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from neoverse_ns.evaluation.ablations.measure import Ablation, ablate
from neoverse_ns.evaluation.ablations.table import ablation_markdown, ablation_plain
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.evaluate import Request
from neoverse_ns.evaluation.protocol.gaps import PROTOCOLS
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.results.scene_result import SceneResult
from tests.cli.command_line import run
from tests.evaluation import fake_views
from tests.evaluation.fake_layout import fake_kind

PROTOCOL = dataclasses.replace(PROTOCOLS[0], alias="fake-gap-2@1", data="fake", metrics=("psnr",))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_kind(monkeypatch)
    for number in range(3):
        (tmp_path / "data" / f"scene{number}").mkdir(parents=True)
    return tmp_path / "data"


def measured(data: Path, *rows: str, timed: bool = False) -> Ablation:
    return ablate(Request(PROTOCOL, data, ("ours:steps=9",), data.parent / "out"), rows, timed=timed)


def test_rows_show_their_differences_scene_by_scene(data: Path) -> None:
    ablation = measured(data, "no-opacity", "forward-motion", "clean-generation")
    lines = ablation_markdown(ablation).splitlines()
    rows = [line for line in lines if line.startswith("| ") and "row" not in line]
    # 20 dB, 0 to 2 of the scene, less half of each of the gap's two frames.
    assert rows == [
        "| w/o opacity regularisation | 19.10 (−0.90 ± 0.10) | reconstruction |",
        "| w/o bidirectional motion | 19.60 (−0.40 ± 0.10) | reconstruction |",
        "| reconstruction | 20.00 | – |",
        "| with generation | 23.00 | – |",
        "| w/o degradation simulation | 22.75 (−0.25 ± 0.00) | with generation |",
    ]
    assert any("too few to call any difference significant" in line for line in lines)
    assert "- with generation: `ours:steps=9,refiner=internal`" in lines
    stored = ablation_plain(ablation)["rows"][0]
    assert stored["differences"]["psnr"]["significant"] is None
    assert stored["differences"]["psnr"]["mean"] == pytest.approx(-0.9)


def test_what_was_measured_is_not_measured_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = measured(data, "forward-motion")
    monkeypatch.setattr("tests.evaluation.fake_views.judge", None)
    assert ablation_markdown(measured(data, "forward-motion")) == ablation_markdown(first)


def test_times_are_split_into_stages(data: Path) -> None:
    ablation = measured(data, "keyframes-11", timed=True)
    split = ablation.seconds["keyframes-11"]
    assert split == {"cameras": 3.0, "geometry": 3.0, "refinement": 4.0, "generation": 5.0, "total": 15.0}
    assert "| 11 keyframes | 3.0 | 3.0 | 4.0 | 5.0 | 15.0 |" in ablation_markdown(ablation)


def test_published_rows_stand_beside_their_own_protocol_alone(data: Path) -> None:
    ablation = measured(data, "no-opacity")
    assert "Published" not in ablation_markdown(ablation)
    ablation.results.alias = "dycheck-neoverse@1"
    lines = ablation_markdown(ablation).splitlines()
    assert "| no-opacity | 10.86 |" in lines
    assert "| reconstruction | 11.56 |" in lines
    assert not any(line.startswith("| generation |") for line in lines)
    assert "Published under dycheck-neoverse@1 (NeoVerse, table of ablations):" in lines
    ablation.results.missing = ["scene9"]
    text = ablation_markdown(ablation)
    assert "other protocol: reconstruction" not in text
    assert "other protocol: ours:steps=9,opacity=0 has 3 of 4 scenes, so that it does not compare" in text


def test_commands_end_with_1_where_a_scene_failed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--data", data, "--output-dir", data.parent / "out")
    run(monkeypatch, "time-gaps", "tum", *words, "--gaps", "2", "4")
    judge = fake_views.judge

    def lost(protocol: Protocol, scene: BenchmarkScene, *rest: Any, **more: Any) -> SceneResult:
        found = judge(protocol, scene, *rest, **more)
        return dataclasses.replace(found, values={}, failed="nothing is seen") if scene.name == "scene1" else found

    monkeypatch.setattr(fake_views, "judge", lost)
    for number, command in enumerate(
        (("time-gaps", "tum", "--gaps", "4"), ("ablate", "tum-gap-2@1", "--rows", "static"))
    ):
        with pytest.raises(SystemExit) as ended:
            run(monkeypatch, *command, "--data", data, "--output-dir", data.parent / str(number))
        assert ended.value.code == 1
