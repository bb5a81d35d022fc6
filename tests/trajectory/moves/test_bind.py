"""Moves chosen by name or file, bound to a clip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.choose import TrajectoryOptions, choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.moves.stage import Surroundings
from neoverse_ns.trajectory.moves.subject import PointPath
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.trajectory.moves.stages import HEIGHT, WIDTH, Known, stage

CLIP = stage().clip
TIMES = torch.tensor([0.0, 0.1, 0.3, 0.5, 0.6, 0.9, 1.0])
FRAMES = ClipFrames(3 * TIMES.double(), tuple(range(7)))
"""The clip lasts three seconds."""


def choose(
    name: str | Path, options: TrajectoryOptions | None = None, surroundings: Surroundings | None = None
) -> Trajectory:
    return choose_trajectory(str(name), CLIP, TIMES, None, options, FRAMES, surroundings)


def written(folder: Path, **document: Any) -> Path:
    path = folder / "path.json"
    path.write_text(json.dumps(document))
    return path


def test_a_name_and_a_file_choose_the_same(tmp_path: Path) -> None:
    text = "orbit:degrees=30,point=0,0,2+handheld:seed=3"
    path = written(
        tmp_path,
        name="round",
        num_frames=15,
        move=[{"orbit": {"degrees": 30, "point": [0, 0, 2]}}, {"handheld": {"seed": 3}}],
    )
    named, read = choose(text, TrajectoryOptions(num_frames=15)), choose(path)
    assert len(named) == len(read) == 15
    torch.testing.assert_close(named.c2w, read.c2w)
    torch.testing.assert_close(named.K, CLIP.K[:1].expand(15, 3, 3))
    assert (named.cameras.width, named.cameras.height) == (WIDTH, HEIGHT)
    # The clip is played from start to end, at its own pace between frames.
    assert named.times[[0, 7, 14]].tolist() == pytest.approx([0, 0.5, 1])
    assert len(choose(text)) == 81
    assert len(choose(path, TrajectoryOptions(num_frames=9))) == 9


def test_zoom_rate_and_first_frame_are_the_files_or_the_users(tmp_path: Path) -> None:
    path = written(tmp_path, move="handheld", num_frames=5, fps=48, zoom_ratio=2, use_first_frame=True)
    read = choose(path)
    assert read.fps == 48
    assert read.first_frame
    assert float(read.K[-1, 0, 0] / read.K[0, 0, 0]) == pytest.approx(2)
    torch.testing.assert_close(read.c2w, choose("handheld", TrajectoryOptions(5, fps=48.0)).c2w)
    slower = choose(path, TrajectoryOptions(fps=24.0))
    assert slower.fps == 24
    # A path with a rate keeps its seconds: the same hand, seen half as often.
    torch.testing.assert_close(slower.c2w, read.c2w[::2])
    zoomed = choose("orbit", TrajectoryOptions(num_frames=5, zoom=3.0))
    assert float(zoomed.K[-1, 1, 1] / zoomed.K[0, 1, 1]) == pytest.approx(3)


def test_what_is_picked_is_picked_in_the_scene(tmp_path: Path) -> None:
    known = Known()
    choose("orbit:pixel=10,20,3", surroundings=known)
    choose(written(tmp_path, move={"orbit": {"pixel": [11, 20, 3]}}), surroundings=known)
    assert known.picked == [(10, 20, 3), (11, 20, 3)]
    with pytest.raises(SettingsError, match="a pixel can only be picked in a scene"):
        choose("orbit:pixel=10,20,3")


@pytest.mark.parametrize("move", ["orbit", "crane", "look_at", "dolly_zoom"])
def test_a_trajectory_knows_its_subject(move: str) -> None:
    there = torch.tensor([[0.1, 0.2, 2.5]], dtype=torch.float64)
    row = choose(f"{move}:point=0.1,0.2,2.5 + handheld:seed=1", TrajectoryOptions(num_frames=5))
    for made in (row, row.resampled(9), row[1:3], row.resized(20, 10)):
        assert made.subject is not None
        torch.testing.assert_close(made.subject.at(torch.tensor([0.3])), there)
    assert choose("handheld").subject is None


def test_an_orbit_circles_where_its_subject_was_unless_it_follows() -> None:
    ends = torch.tensor([[0.0, 0.0, 2.0], [1.0, 0.0, 2.0]], dtype=torch.float64)
    known = Known(moves=PointPath(torch.tensor([0.0, 1.0], dtype=torch.float64), ends))
    times = torch.tensor([0.0, 1.0])
    for move, last in (("orbit", ends[:1]), ("orbit:follow=yes", ends[1:])):
        subject = choose(move, surroundings=known).subject
        assert subject is not None
        torch.testing.assert_close(subject.at(times), torch.cat([ends[:1], last]))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"move": "spin"}, "path.json: there is no camera move 'spin'"),
        ({"move": "orbit", "fps": 0}, "'fps' must be greater than 0"),
        ({"move": "orbit", "num_frames": 0}, "'num_frames' must be"),
        ({"move": "orbit", "use_first_frame": 1}, "'use_first_frame' must be true or false"),
        ({"move": "orbit", "name": 1}, "'name' must be text"),
    ],
)
def test_bad_files_name_file_and_field(tmp_path: Path, document: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        choose(written(tmp_path, **document))


def test_moves_are_offered_where_a_name_is_none() -> None:
    with pytest.raises(SettingsError, match="orbit_right, static, orbit, dolly_zoom, handheld, crane, look_at, smooth"):
        choose("spin")


def test_time_is_directed_apart_from_the_move(tmp_path: Path) -> None:
    """Frozen, reversed and slowed, the camera goes the same way."""
    text = "orbit:degrees=90,point=0,0,2"
    plain = choose(text, TrajectoryOptions(num_frames=25))
    frozen = choose(text, TrajectoryOptions(num_frames=25, time="freeze@1.5s"))
    torch.testing.assert_close(frozen.times, torch.full((25,), 0.5).double())
    torch.testing.assert_close(frozen.c2w, plain.c2w)
    back = choose(text, TrajectoryOptions(num_frames=25, time="reverse", fps=8.0))
    assert back.times[[0, 24]].tolist() == pytest.approx([1, 0])
    torch.testing.assert_close(back.c2w, plain.c2w)
    # The length follows from the curve where nothing else says it: three seconds at half the speed.
    slow = choose(text, TrajectoryOptions(time="slow 2x", fps=10.0))
    assert len(slow) == 61
    assert slow.fps == 10
    directed = choose(written(tmp_path, move=text, time=["0:0", "1s:3s", "hold 1s"], fps=10))
    assert len(directed) == 21
    assert directed.times[[0, 5, 10, 20]].tolist() == pytest.approx([0, 0.5, 1, 1])
    # Going along with the clip's camera, one may do so at the moment shown.
    still = choose("handheld:strength=0", TrajectoryOptions(num_frames=9, time="freeze@1.5s", follow="time"))
    torch.testing.assert_close(still.c2w, still.c2w[:1].expand(9, 4, 4))
    torch.testing.assert_close(still.c2w[0], CLIP.c2w[3])
