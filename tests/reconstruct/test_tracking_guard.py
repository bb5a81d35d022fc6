"""What lies too near to a held-out frame is never seen by a reconstructor; what was seen is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.tracking_frames import TrackingFrames
from neoverse_ns.reconstruct import scene as scene_module
from neoverse_ns.reconstruct.base import Reconstruction, Reconstructor
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene, build_scene
from neoverse_ns.reconstruct.split import FrameSplit
from neoverse_ns.reconstruct.tracking_guard import (
    Tracking,
    describe_tracking,
    tracking_note,
    tracking_of,
    usable_tracking,
)
from tests.clip.clip_makers import numbered_video
from tests.reconstruct.small_scene import small_scene


def clip_of(sampled: list[int], between: list[int], rate: float = 30.0) -> Clip:
    """A clip whose frame `i` of the source is shown at second `i / rate`."""

    def numbers(frames: list[int]) -> torch.Tensor:
        return torch.tensor(frames, dtype=torch.int64)

    def times(frames: list[int]) -> torch.Tensor:
        return numbers(frames).double() / rate

    tracking = TrackingFrames(torch.zeros(len(between), 2, 2, dtype=torch.uint8), times(between), numbers(between))
    frames = torch.zeros(len(sampled), 2, 2, 3, dtype=torch.uint8)
    return Clip(frames, numbers(sampled), times(sampled), Path("a.mp4"), tracking=tracking)


def left(clip: Clip) -> set[int]:
    return set() if clip.tracking is None else set(clip.tracking.frame_indices.tolist())


@st.composite
def divided(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """Sampled frames at uneven steps, some frames between them, and any of the sampled held out."""
    steps = draw(st.lists(st.integers(1, 9), min_size=1, max_size=30))
    sampled = [5 + sum(steps[:i]) for i in range(len(steps) + 1)]
    gaps = [i for i in range(sampled[0], sampled[-1]) if i not in sampled]
    between = [i for i in gaps if draw(st.booleans())] or gaps[:1]
    if draw(st.booleans()):
        every = draw(st.sampled_from([2, 3, 8]))
        return sampled, between, list(range(every // 2, len(sampled) - 1, every))
    return sampled, between, sorted(draw(st.sets(st.integers(0, len(sampled) - 1), max_size=len(sampled) - 1)))


@given(divided())
def test_nothing_within_a_step_of_a_held_out_frame_is_used(case: tuple[list[int], list[int], list[int]]) -> None:
    sampled, between, held_out = case
    clip, given_frames = clip_of(sampled, between), set(between)
    train = [i for i in range(len(sampled)) if i not in held_out]
    split = FrameSplit(train, held_out, train[:1])
    guarded: set[int] = set()
    for frame in split.held_out:
        guarded |= set(range(sampled[max(frame - 1, 0)], sampled[min(frame + 1, len(sampled) - 1)] + 1))
    assert left(usable_tracking(clip, split, "m1")) == given_frames - guarded
    assert left(usable_tracking(clip, split, "m0")) == given_frames
    assert left(usable_tracking(clip, split, "none")) == set()
    assert usable_tracking(clip, split, "none").tracking is None
    if given_frames and not split.held_out:
        assert usable_tracking(clip, split, "m1") is clip


def test_a_held_out_frame_among_them_is_used_by_nobody() -> None:
    # Reading never gives one; that the guard is tight does not rest on it.
    clip, split = clip_of([0, 4, 8, 12, 16], [2, 4, 6, 8, 10, 14]), FrameSplit([0, 1, 3, 4], [2], [0, 4])
    assert left(usable_tracking(clip, split, "m0")) == {2, 4, 6, 10, 14}
    assert left(usable_tracking(clip, split, "m1")) == {2, 4, 14}


def test_grey_and_times_stay_with_their_frames() -> None:
    clip = clip_of([0, 4, 8, 12, 16], [2, 6, 10, 14])
    assert clip.tracking is not None
    grey = torch.arange(4, dtype=torch.uint8)[:, None, None].expand(4, 2, 2)
    clip = replace(clip, tracking=replace(clip.tracking, grey=grey))
    usable = usable_tracking(clip, FrameSplit([0, 1, 3, 4], [2], [0, 4]), "m1").tracking
    assert usable is not None
    assert usable.grey[:, 0, 0].tolist() == [0, 3]
    assert usable.seconds.tolist() == [2 / 30, 14 / 30]


def test_words_and_names() -> None:
    assert describe_tracking(40, 30, "m1") == {"protocol": "m1", "frames_used": 30, "frames_left_out": 10}
    assert describe_tracking(40, 0, "m1")["protocol"] == "train"
    assert describe_tracking(0, 0, "m0")["protocol"] == "train"
    assert tracking_of({})["protocol"] == "train"
    assert tracking_note({}) is None
    assert tracking_note({"tracking": describe_tracking(40, 30, "m1")}) == (
        "frames of the source between the sampled ones: 30 used to follow what moves, 10 near held-out frames left out"
    )
    assert tracking_note({"tracking": describe_tracking(40, 40, "m0")}) == (
        "frames of the source between the sampled ones: 40 used to follow what moves"
    )


class Recorder(Reconstructor):
    """Keeps the clip it is given, and gives the small scene back with that clip as if it had straightened it."""

    uses_tracking = True

    def __init__(self) -> None:
        self.seen: list[Clip] = []

    def reconstruct(self, clip: Clip, split: FrameSplit) -> Reconstruction:
        self.seen.append(clip)
        made = small_scene(len(clip), clip.width, clip.height)
        assert made.gaussians is not None
        return Reconstruction(made.geometry, made.gaussians, replace(clip))


class Blind(Recorder):
    uses_tracking = False


def built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tracking: Tracking, reconstructor: Recorder, every: int = 4
) -> tuple[Scene, Clip]:
    monkeypatch.setattr(scene_module, "get_reconstructor", lambda config: reconstructor)
    path = tmp_path / "a.mp4"
    if not path.exists():
        numbered_video(path, 49)
    clip = ClipConfig(num_frames=9, duration=10.0, width=64)
    config = SceneConfig(clip=clip, tracking=tracking, held_out_every=every)
    return build_scene(path, config), reconstructor.seen[-1]


def test_a_scene_is_made_from_what_may_be_used_and_keeps_none_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene, seen = built(monkeypatch, tmp_path, "m1", Recorder())
    # Of frames 0, 6, ..., 48 those at 12 and 36 are held out, with what lies between 6 and 18, 30 and 42.
    assert scene.split.held_out == [2, 6]
    expected = {i for i in range(48) if i % 6 and not (6 < i < 18 or 30 < i < 42)}
    assert left(seen) == expected
    assert scene.clip.tracking is None
    assert scene.geometry.report["tracking"] == {"protocol": "m1", "frames_used": 20, "frames_left_out": 20}
    assert "20 used to follow what moves, 20 near held-out frames left out" in capsys.readouterr().out

    scene, seen = built(monkeypatch, tmp_path, "m0", Recorder())
    assert left(seen) == {i for i in range(48) if i % 6}
    assert scene.geometry.report["tracking"] == {"protocol": "m0", "frames_used": 40, "frames_left_out": 0}
    assert scene.clip.tracking is None


@pytest.mark.parametrize(("tracking", "reconstructor"), [("none", Recorder()), ("m1", Blind())])
def test_what_is_not_used_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tracking: Tracking, reconstructor: Recorder
) -> None:
    scene, seen = built(monkeypatch, tmp_path, tracking, reconstructor)
    assert seen.tracking is None
    assert scene.geometry.report["tracking"] == {"protocol": "train", "frames_used": 0, "frames_left_out": 0}


def test_where_everything_is_near_a_held_out_frame_the_protocol_is_that_of_training_frames(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scene, seen = built(monkeypatch, tmp_path, "m1", Recorder(), every=2)
    assert seen.tracking is None
    assert scene.geometry.report["tracking"]["protocol"] == "train"
    assert scene.geometry.report["tracking"]["frames_used"] == 0
