"""Rules of protocols that keep nothing to be shown, and those on what a set trains with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.protocol.aliases import protocol, protocols, published
from neoverse_ns.evaluation.protocol.positions import Span
from neoverse_ns.evaluation.protocol.rooms import SIXTEEN_OF_24, THIRTY_TWO_OF_48, middles_of_threes
from neoverse_ns.evaluation.protocol.rules_given import Given
from tests.evaluation.data.fabricate_kitti import write_kitti
from tests.evaluation.data.fabricate_rgbd import write_tum
from tests.evaluation.data.fabricate_rooms import write_eyeful, write_scannetpp

ALIASES = (
    *("tum90@1", "tum-c4g@1", "bonn110@1", "sintel14@1", "kitti110@1", "kitti-stereo@1", "scannet90@1"),
    *("vrnerf-ours@1", "scannetpp-ours@1", "tapvid3d@1", "clips-cameras@1", "clips-cameras-81@1"),
    *("clips-held-out-m1@1", "clips-right@1"),
)
"""Of sequences, rooms and clips."""


class Along(BenchmarkScene):
    """Frames of one camera, of some of which the camera is not known."""

    def __init__(self, count: int, lost: tuple[int, ...] = ()) -> None:
        self.name, self.folder = "along", Path("along")
        poses = [None if at in lost else torch.eye(4, dtype=torch.float64) for at in range(count)]
        self.frames = tuple(BenchmarkFrame(f"{at}", "0", at, at / 30, 4, 3, None, poses[at]) for at in range(count))

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        raise AssertionError("rules read no pictures")


def times(choice: tuple[BenchmarkFrame, ...]) -> list[int]:
    return [frame.time for frame in choice]


def test_every_third_of_the_pairs_and_ninety_at_most() -> None:
    rule = protocol("tum90@1").rule
    choice = rule(Along(400, lost=(1,)))
    # The picture without a pose is not counted on.
    assert times(choice.inputs) == [0, 4, *range(7, 270, 3)]
    assert len(choice.inputs) == 90
    assert choice.targets == ()
    assert choice.skipped == ()
    short = rule(Along(100))
    assert times(short.inputs) == list(range(0, 100, 3))
    assert short.skipped == ("has 100 frames with a camera, so that 34 of 90 are taken",)


def test_bonns_rows_and_those_of_them_with_a_camera() -> None:
    scene = Along(200, lost=(29, 31, 50, 51, 52))
    assert times(protocol("bonn110@1").rule(scene).inputs) == list(range(30, 140))
    cameras = protocol("bonn110-cameras@1").rule(scene)
    assert times(cameras.inputs) == [at for at in range(30, 140) if at not in (31, 50, 51, 52)]
    assert cameras.skipped == ("no camera is known of 31 and 3 more, to 52",)
    with pytest.raises(ClipError, match="has 2 frames of 't30:140', at least 3"):
        protocol("bonn110@1").rule(Along(32))


def test_labels_tell_what_is_counted_on() -> None:
    assert Given(Span(0, 270, 3), posed_list=True).label == "posed-t0:270:3"
    assert Given(Span(30, 140), posed=True).label == "t30:140-posed"
    assert SIXTEEN_OF_24.label == "trained-t0:24not1:24:3>t1:24:3"


def test_c4gs_inputs_and_all_between() -> None:
    choice = protocol("tum-c4g@1").rule(Along(120))
    assert times(choice.inputs) == list(range(0, 91, 6))
    assert times(choice.targets) == [at for at in range(90) if at % 6]


def test_middles_of_threes_of_the_first_trained_camera(tmp_path: Path) -> None:
    given = [at for at in range(24) if at not in range(1, 23, 3)]
    assert SIXTEEN_OF_24.rule.inputs.at.on(24) == given
    assert SIXTEEN_OF_24.rule.targets.at.on(24) == [1, 4, 7, 10, 13, 16, 19, 22]
    assert len(THIRTY_TWO_OF_48.rule.inputs.at.on(48)) == 32
    assert THIRTY_TWO_OF_48.rule.targets.at.on(48) == list(range(1, 47, 3))
    write_eyeful(tmp_path, positions=6, sensors=(17, 10, 9))
    # Sensor 9 has the lowest number; sensor 2, were it there, would be the lowest but for being kept for tests.
    choice = middles_of_threes(6)(benchmark_data("eyeful-tower").open(tmp_path, "office1b"))
    assert times(choice.inputs) == [0, 2, 3, 5]
    assert times(choice.targets) == [1, 4]
    assert {frame.camera for frame in (*choice.inputs, *choice.targets)} == {"9"}
    with pytest.raises(ClipError, match="needs 24"):
        SIXTEEN_OF_24(benchmark_data("eyeful-tower").open(tmp_path, "office1b"))


def test_frames_kept_for_tests_are_not_counted_on(tmp_path: Path) -> None:
    write_scannetpp(tmp_path, frames=6)
    choice = middles_of_threes(6)(benchmark_data("scannetpp").open(tmp_path, "0a5c013435"))
    # The second picture by name is the set's own for testing.
    assert times(choice.inputs) == [0, 3, 4, 6]
    assert times(choice.targets) == [2, 5]


def test_the_right_camera_at_the_same_times(tmp_path: Path) -> None:
    write_kitti(tmp_path, frames=25, cameras=(0, 1), drawn=False)
    choice = protocol("kitti-stereo@1").rule(benchmark_data("kitti-odometry").open(tmp_path, "07"))
    assert [(frame.camera, frame.time) for frame in choice.inputs] == [("0", at) for at in range(25)]
    assert [(frame.camera, frame.time) for frame in choice.targets] == [("1", at) for at in range(25)]


def test_tums_rule_on_a_recording(tmp_path: Path) -> None:
    made = write_tum(tmp_path, frames=8)
    choice = protocol("tum90@1").rule(benchmark_data("tum").open(tmp_path, made.folder.name))
    assert [frame.name for frame in choice.inputs] == made.names[::3]


@pytest.mark.parametrize("alias", ALIASES)
def test_every_protocol_names_a_layout_and_its_published_rows_their_metrics(alias: str) -> None:
    one = protocol(alias)
    assert benchmark_data(one.data).name == one.data
    assert protocol(one.full_id("bundle")).alias == alias
    for row in published():
        if row.alias == alias:
            assert set(row.values) <= set(one.metrics)


def test_published_rows_are_of_protocols_that_there_are() -> None:
    known = {*protocols(), ""}
    assert {row.alias for row in published()} | {row.near for row in published()} <= known
