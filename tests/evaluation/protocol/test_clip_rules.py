"""Rules for our own clips: what is sampled, held out, and seen from beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.scene import ClipScene
from neoverse_ns.evaluation.data.clips.windows import geometry_window, held_out_window
from neoverse_ns.evaluation.protocol.aliases import protocol
from neoverse_ns.evaluation.protocol.clip_rules import Sampled
from tests.evaluation.protocol.test_rules_given import Along

WINDOW = held_out_window(0.0, 3.0, 9)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> ClipScene:
    folder = tmp_path_factory.mktemp("clips") / "clip"
    save_synthetic(render_synthetic(9, 48, 32), folder)
    return ClipScene(folder)


def test_every_eighth_is_held_out(scene: ClipScene) -> None:
    choice = Sampled(WINDOW, "held-out", "m1")(scene)
    assert [frame.time for frame in choice.targets] == [4]
    assert [frame.time for frame in choice.inputs] == [at for at in range(9) if at != 4]
    assert scene.window(choice.inputs) == WINDOW


def test_the_second_camera_is_judged_at_all_times(scene: ClipScene) -> None:
    choice = Sampled(WINDOW, "right", "m1")(scene)
    assert [frame.name for frame in choice.targets] == [f"right_images/{at:05d}.png" for at in range(9)]
    assert len(choice.inputs) == 8
    assert not {frame.name for frame in choice.inputs} & {frame.name for frame in choice.targets}


def test_nothing_or_the_given_frames_are_judged(scene: ClipScene) -> None:
    alone = Sampled(geometry_window(0.0, 3.0, 5))(scene)
    assert len(alone.inputs) == 5
    assert alone.targets == ()
    same = Sampled(WINDOW, "same-frames", "m1")(scene)
    assert same.inputs == same.targets


def test_ids_tell_window_and_following() -> None:
    assert protocol("clips-cameras@1").frames == "16@s2-5"
    assert protocol("clips-cameras-81@1").frames == "81@s2-12"
    assert protocol("clips-held-out-m0@1").frames == "25@s2-5:interleaved-time-m0:8"
    assert protocol("clips-same-frames@1").frames == "25@s2-5:same-frames"
    assert protocol("clips-right@1").frames == "25@s2-5:interleaved-time-m1:8>c1"


def test_other_scenes_and_clips_without_a_second_camera_are_refused(scene: ClipScene, tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="no clip folder"):
        Sampled(WINDOW)(Along(20))
    lone = tmp_path / "lone"
    lone.mkdir()
    (lone / "clip.mp4").symlink_to(scene.folder / "clip.mp4")
    with pytest.raises(ClipError, match="no right_images"):
        Sampled(WINDOW, "right", "m1")(ClipScene(lone))
