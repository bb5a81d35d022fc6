"""Curves over the gap between given frames."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.curves.svg import Line, line_chart
from neoverse_ns.evaluation.curves.time_gaps import gap_alias, measure_gaps
from neoverse_ns.evaluation.evaluate import Request
from neoverse_ns.evaluation.protocol.aliases import protocol
from neoverse_ns.evaluation.protocol.gaps import GAPS
from tests.evaluation.fake_layout import fake_kind
from tests.evaluation.fake_views import FakeScene


@pytest.mark.parametrize("family", ["clips", "tum"])
def test_all_gaps_judge_the_same_frames_and_give_fewer_and_fewer(family: str, tmp_path: Path) -> None:
    scene = FakeScene(tmp_path, "scene0")
    for gap in GAPS:
        one = protocol(f"{family}-gap-{gap}@1")
        choice = one.rule(scene)
        assert [frame.time for frame in choice.inputs] == list(range(0, 49, gap))
        assert [frame.time for frame in choice.targets] == list(range(1, 49, 2))
        assert {frame.camera for frame in (*choice.inputs, *choice.targets)} == {"0"}
        assert one.full_id("bundle").startswith(f"{family}/49-t0:49:{gap}>t1:49:2/predict-all(bundle)/plain/560x336/")


def test_a_curve_has_a_mean_for_every_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_kind(monkeypatch)
    for number in range(2):
        (tmp_path / "data" / f"scene{number}").mkdir(parents=True)
    asked = Request(protocol("tum-gap-2@1"), tmp_path / "data", ("ours", "ours:motion=none"), tmp_path / "out")
    curve = measure_gaps("tum", asked)
    table = curve.markdown().splitlines()
    assert "| ours | 19.50 | 18.50 | 17.50 | 16.50 |" in table
    assert "| ours:motion=none | 19.05 | 18.05 | 17.05 | 16.05 |" in table
    assert curve.to_plain()["values"]["ours"]["8"]["psnr"]["value"] == pytest.approx(16.5)
    root = xml.fromstring(curve.svg())
    lines = [node for node in root if node.tag.endswith("polyline")]
    assert [len(node.attrib["points"].split()) for node in lines] == [4, 4]
    # Fewer dB lie lower in the picture.
    heights = [float(point.split(",")[1]) for point in lines[0].attrib["points"].split()]
    assert heights == sorted(heights)
    assert heights[0] < heights[-1]


def test_other_gaps_and_data_are_refused() -> None:
    with pytest.raises(SettingsError, match="gap 3"):
        gap_alias("tum", 3)
    with pytest.raises(SettingsError, match="clips, tum"):
        gap_alias("dycheck", 2)


def test_a_chart_without_values_says_so() -> None:
    assert "nothing was measured" in line_chart([Line("a", [(2.0, float("nan"))])], "x", "y")
