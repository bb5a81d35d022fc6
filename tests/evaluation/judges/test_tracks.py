"""Tracks judged: right ones of any scale, wrong ones, and points given in later frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.evaluation.data.tapvid3d import TracksScene
from neoverse_ns.evaluation.judges.tracks import FollowedPoints, TrackMethod, judge_tracks, value_of
from neoverse_ns.evaluation.methods.track_methods import track_method
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.metrics.tapvid3d import score_space_tracks
from tests.evaluation.data.test_tapvid3d import opened, write
from tests.evaluation.memory_scene import room_scene


def everything(scene: Any) -> Choice:
    return Choice(scene.frames, ())


PROTOCOL = Protocol(
    "plane@1",
    "tracks",
    "tapvid3d",
    "plane-1",
    None,
    "all",
    everything,
    "none",
    ("epe", "apd", "aj", "oa", "within-0.05", "apd-fixed"),
)


class Truth(TrackMethod):
    """Knows the tracks, in tenths of a metre, and may put them aside."""

    name = solver = "truth"

    def __init__(self, scene: TracksScene, aside: float = 0.0) -> None:
        self._scene, self._aside = scene, aside
        self.asked: list[tuple[Tensor, Tensor]] = []

    def follow(self, clip: Clip, xy: Float[Tensor, "p 2"], frame: Int64[Tensor, " p"]) -> FollowedPoints:
        self.asked.append((xy, frame))
        truth = self._scene.tracks()
        return FollowedPoints(truth.tracks_XYZ * 0.1 + self._aside, truth.visibility, {})


@pytest.fixture
def scene(tmp_path: Path) -> TracksScene:
    write(tmp_path / "drivetrack/a.npz")
    return opened(tmp_path, "drivetrack/a")


def values(scene: TracksScene, method: TrackMethod) -> dict[str, float]:
    result = judge_tracks(PROTOCOL, scene, everything(scene), method, work=Path())
    return {name: next(iter(found.values())) for name, found in result.values.items()}


def test_right_tracks_of_another_scale_have_no_error(scene: TracksScene) -> None:
    method = Truth(scene)
    found = values(scene, method)
    assert found["epe"] == pytest.approx(0, abs=1e-6)
    assert [found[name] for name in ("apd", "aj", "oa", "within-0.05", "apd-fixed")] == [1.0] * 5
    # A picture of 64x48 is the clip's own size: points are asked for where they are.
    (xy, frame), truth = method.asked[0], scene.tracks()
    assert torch.allclose(xy, truth.queries_xyt[:, :2])
    assert frame.tolist() == truth.queries_xyt[:, 2].long().tolist()


def test_wrong_tracks_are_scored_as_the_metric_does(scene: TracksScene) -> None:
    found, truth = values(scene, Truth(scene, aside=0.05)), scene.tracks()
    focal = torch.stack([truth.K[0, 0], truth.K[1, 1]])
    places = truth.tracks_XYZ * 0.1 + 0.05
    expected = score_space_tracks(places, truth.visibility, truth.tracks_XYZ, truth.visibility, focal, (64, 48))
    assert found["epe"] == pytest.approx(expected.mean_distance)
    assert found["aj"] == pytest.approx(expected.average_jaccard)
    assert found["aj"] < 1
    with pytest.raises(SettingsError, match="'psnr' is no metric of tracks"):
        value_of("psnr", expected)


def test_a_scene_without_tracks_is_refused(scene: TracksScene) -> None:
    other = room_scene(2)
    with pytest.raises(ClipError, match="has no true tracks"):
        judge_tracks(PROTOCOL, other, everything(other), Truth(scene), work=Path())


def test_names_of_methods() -> None:
    method = track_method("ours:anchor=scene")
    assert (method.name, method.solver) == ("ours:anchor=scene", "bundle")
    assert method.settings()["anchor"] == "scene"
    with pytest.raises(SettingsError, match="there is ours"):
        track_method("theirs")
    with pytest.raises(SettingsError, match="reconstructor and anchor, not steps"):
        track_method("ours:steps=3")
    with pytest.raises(SettingsError, match="anchor must be"):
        track_method("ours:anchor=ship")
