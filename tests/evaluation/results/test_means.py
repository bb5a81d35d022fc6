"""Means, and of how many values they are."""

from __future__ import annotations

import math
from typing import Any

import pytest

from neoverse_ns.evaluation.results.means import RULES, means_of, scene_mean
from neoverse_ns.evaluation.results.run_file import MethodRun, RunFile
from neoverse_ns.evaluation.results.scene_result import SceneResult


def results(rule: str, scenes: list[SceneResult], wanted: list[str], missing: list[str] | None = None) -> RunFile:
    protocol: dict[str, Any] = {"tables": rule, "metrics": ["psnr"]}
    run = MethodRun("ours", "id", "bundle", scenes=scenes)
    return RunFile("a@1", protocol, wanted, missing or [], {}, {}, {}, 0, methods=[run])


def scene(name: str, *values: float, attempted: int | None = None, weight: float = 1.0) -> SceneResult:
    by_name = {str(place): value for place, value in enumerate(values)}
    measured = {"psnr": by_name, "valid-pixels": {"scene": weight}} if values else {}
    return SceneResult(name, "ours", values=measured, attempted={"psnr": attempted or len(values)})


def test_scenes_have_equal_weight_whatever_their_length() -> None:
    found = results("frames, then scenes", [scene("a", 10.0), scene("b", 20.0, 30.0, 40.0)], ["a", "b"])
    mean = means_of(found, found.methods[0])["psnr"]
    assert mean.value == 20.0
    assert (mean.counts, mean.complete) == ("4 of 4", True)
    assert mean.to_plain() == {"value": 20.0, "of": "4 of 4", "complete": True}


@pytest.mark.parametrize(
    ("rule", "value", "worst"),
    [
        ("frames, then scenes", 22.5, math.nan),
        ("all frames pooled", 25.0, math.nan),
        ("scenes by valid pixels", 0.25 * 15 + 0.75 * 30, math.nan),
        ("scenes, median and worst", 22.5, 30.0),
    ],
)
def test_every_rule(rule: str, value: float, worst: float) -> None:
    found = results(rule, [scene("a", 10.0, 20.0), scene("b", 20.0, 30.0, 30.0, 40.0, weight=3.0)], ["a", "b"])
    mean = means_of(found, found.methods[0])["psnr"]
    assert mean.value == pytest.approx(value)
    assert mean.worst == pytest.approx(worst, nan_ok=True)


def test_the_median_is_over_the_sizes_of_errors() -> None:
    scenes = [scene("a", -10.0), scene("b", 1.0), scene("c", 11.0)]
    found = results("scenes, median and worst", scenes, ["a", "b", "c"])
    mean = means_of(found, found.methods[0])["psnr"]
    assert (mean.value, mean.worst) == (10.0, 11.0)


def test_what_is_missing_is_counted_and_never_averaged() -> None:
    failed = SceneResult("b", "ours", attempted={"psnr": 5}, failed="nothing is seen")
    found = results("frames, then scenes", [scene("a", 10.0, 20.0, attempted=3), failed], ["a", "b", "c"], ["d"])
    mean = means_of(found, found.methods[0])["psnr"]
    assert mean.value == 15.0
    assert not mean.complete
    # Three and five frames; of scenes that are still to be done, or not there, nobody knows how many.
    assert mean.counts == "2 of 10, 1 of 4 scenes"


def test_nothing_and_infinity_are_said() -> None:
    nothing = results("frames, then scenes", [SceneResult("a", "ours", attempted={"psnr": 2})], ["a"])
    assert means_of(nothing, nothing.methods[0])["psnr"].to_plain() == {
        "value": None,
        "of": "0 of 2, 0 of 1 scenes",
        "complete": False,
    }
    same = results("frames, then scenes", [scene("a", 10.0, math.inf)], ["a"])
    assert means_of(same, same.methods[0])["psnr"].to_plain()["value"] == "infinite"
    assert math.isnan(scene_mean(nothing.methods[0].scenes[0], "psnr"))


def test_a_protocol_cannot_ask_for_a_rule_that_is_not_there() -> None:
    found = results("best of all", [], [])
    assert "best of all" not in RULES
    with pytest.raises(KeyError):
        means_of(found, found.methods[0])
