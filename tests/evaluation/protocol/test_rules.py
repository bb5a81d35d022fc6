"""Rules against lists of frames written by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.protocol.positions import Between, Inner, Midpoints, Positions, Span, Spread
from neoverse_ns.evaluation.protocol.rules import Pick, Rule, Times
from neoverse_ns.evaluation.protocol.viewers import AllButInTurn, Only


class Names(BenchmarkScene):
    """A scene of names alone."""

    def __init__(self, times: dict[str, list[int]]) -> None:
        self.name, self.folder = "names", Path("names")
        self.frames = tuple(
            BenchmarkFrame(f"{camera}_{time:05d}.png", camera, time, time / 30, 4, 3)
            for camera, all_of in times.items()
            for time in all_of
        )

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        raise AssertionError("rules read no pictures")


@pytest.mark.parametrize(
    ("positions", "label", "wanted"),
    [
        (Span(0, 8, 2), "0:8:2", [0, 2, 4, 6]),
        (Span(), "0:", list(range(10))),
        (Span(1, None, 4), "1::4", [1, 5, 9]),
        (Spread(0, 63, 32), "lin0:63:32", np.linspace(0, 63, 32).astype(int).tolist()),
        (Spread(0, 63, 32, "near"), "lin0:63:32r", np.floor(np.linspace(0, 63, 32) + 0.5).astype(int).tolist()),
        (Midpoints(Span(0, 91, 6)), "mid(0:91:6)", list(range(3, 90, 6))),
        (Between(Span(0, 9, 4)), "between(0:9:4)", [1, 2, 3, 5, 6, 7]),
        (Inner(3, 3), "3:-3", [3, 4, 5, 6]),
    ],
)
def test_positions(positions: Positions, label: str, wanted: list[int]) -> None:
    assert positions.on(10) == wanted
    assert positions.label == label


def test_linspace_of_c4g_ends_at_63() -> None:
    assert Spread(0, 63, 32).on(64) == [*range(0, 61, 2), 63]


def test_every_second_of_one_camera_for_all_of_another() -> None:
    scene = Names({"0": list(range(70)), "1": [*range(5), *range(7, 70)]})
    rule = Rule(Pick(Span(0, 64, 2), Only(("0",))), Pick(Span(0, 64), Only(("1",))))
    choice = rule(scene)
    assert rule.label == "c0t0:64:2>c1t0:64"
    assert [frame.time for frame in choice.inputs] == list(range(0, 64, 2))
    assert {frame.camera for frame in choice.inputs} == {"0"}
    assert [frame.time for frame in choice.targets] == [*range(5), *range(7, 64)]
    assert choice.skipped == ("camera 1 has no frame at times 5-6",)


def test_shared_times_are_counted_by_place() -> None:
    scene = Names({"0": list(range(20)), "1": list(range(3, 20)), "2": [4, 6, 7, 9, 15, 30]})
    rule = Rule(Pick(Span(0, 4, 3), Only(("0",))), Pick(Span(0, 4), Only(("1",))), Times(None, 4))
    choice = rule(scene)
    assert rule.label == "shared4-c0t0:4:3>c1t0:4"
    assert [frame.time for frame in choice.inputs] == [4, 9]
    assert [frame.time for frame in choice.targets] == [4, 6, 7, 9]


def test_cameras_in_turn() -> None:
    names = ("1", "2", "3")
    scene = Names({"0": list(range(5)), **{name: list(range(5)) for name in names}})
    choice = Rule(Pick(Span(), Only(("0",))), Pick(Span(), AllButInTurn(names)))(scene)
    assert len(choice.targets) == 5 * 2
    assert all(int(frame.camera) - 1 != frame.time % 3 for frame in choice.targets)


def test_as_there_remarks_nothing() -> None:
    scene = Names({"0": list(range(5)), "1": [1], "2": [2, 3]})
    choice = Rule(Pick(Span(), Only(("0",))), Pick(Span(), Only(("1", "2")), as_there=True))(scene)
    assert [frame.name for frame in choice.targets] == ["1_00001.png", "2_00002.png", "2_00003.png"]
    assert choice.skipped == ()


def test_what_cannot_be_chosen() -> None:
    scene = Names({"0": [0, 1, 3], "1": [9]})
    both = Pick(Span(0, 2), Only(("0",)))
    with pytest.raises(ClipError, match=r"has 3 times .* needs 8"):
        Rule(Pick(Span(0, 8, 7)), both)(scene)
    with pytest.raises(ClipError, match="input and target at once"):
        Rule(both, both)(scene)
    with pytest.raises(ClipError, match=r"camera 1 has no frame at times 0-1, 3; .* as inputs"):
        Rule(Pick(Span(), Only(("1",))), both)(scene)
    with pytest.raises(ClipError, match="no target"):
        Rule(both, Pick(Span(), Only(("1",)), as_there=True))(scene)
    with pytest.raises(ClipError, match="share 0 times; this protocol needs 4"):
        Rule(both, both, Times(("0", "1"), 4))(scene)
