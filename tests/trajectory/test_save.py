"""Trajectories written to files and chosen again by their names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.se3 import so3_exp
from neoverse_ns.trajectory.choose import TrajectoryOptions, choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.moves.subject import PointPath
from neoverse_ns.trajectory.save import save_trajectory
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.trajectory.moves.stages import stage

CLIP = stage().clip
TIMES = torch.tensor([0.0, 0.1, 0.3, 0.5, 0.6, 0.9, 1.0], dtype=torch.float64)
FRAMES = ClipFrames(3.1 * TIMES, tuple(range(7)))
ROTATION = so3_exp(torch.tensor([0.3, -1.0, 0.2], dtype=torch.float64))
OUT = Sim3(torch.ones((), dtype=torch.float64), ROTATION, torch.zeros(3, dtype=torch.float64))
BACK = Sim3(OUT.scale, ROTATION.T, OUT.t)


def choose(name: str | Path, options: TrajectoryOptions | None = None) -> Trajectory:
    return choose_trajectory(str(name), CLIP, TIMES, BACK, options, FRAMES)


def saved(path: Path, trajectory: Trajectory, form: str = "auto") -> Path:
    save_trajectory(path, trajectory, CLIP, FRAMES.length, OUT, form)
    return path


@pytest.mark.parametrize("ending", ["path.json", "path.npz", "nerfstudio.json"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dolly_zoom:travel=-0.7,start=2", TrajectoryOptions(num_frames=15, fps=24.0)),
        ("orbit_right + handheld", TrajectoryOptions(num_frames=9, time="0:0, 0.2s:1.5s, hold 0.1s, 0.5s:2s")),
        ("pan_left", TrajectoryOptions(num_frames=12, time="freeze@1.2s")),
    ],
)
def test_what_is_written_is_chosen_again(tmp_path: Path, ending: str, name: str, options: TrajectoryOptions) -> None:
    made = choose(name, options)
    form = "nerfstudio" if ending.startswith("nerfstudio") else "auto"
    read = choose(saved(tmp_path / ending, made, form))
    torch.testing.assert_close(read.c2w.double(), made.c2w.double(), atol=1e-9, rtol=0)
    torch.testing.assert_close(read.K.double(), made.K.double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(read.times.double(), made.times.double(), atol=1e-9, rtol=0)
    assert read.fps == pytest.approx(made.fps or 16.0)
    # Nothing is left beside it.
    assert [path.name for path in tmp_path.iterdir()] == [ending]


@pytest.mark.parametrize("ending", ["path.json", "path.npz", "nerfstudio.json"])
def test_one_frame_is_a_path_too(tmp_path: Path, ending: str) -> None:
    made = choose("orbit:degrees=30", TrajectoryOptions(num_frames=1, time="freeze@1.2s"))
    read = choose(saved(tmp_path / ending, made, "nerfstudio" if ending.startswith("nerfstudio") else "auto"))
    torch.testing.assert_close(read.c2w.double(), made.c2w.double(), atol=1e-9, rtol=0)
    torch.testing.assert_close(read.times.double(), made.times.double(), atol=1e-9, rtol=0)


def test_time_that_goes_back_is_kept_as_text_and_refused_as_arrays(tmp_path: Path) -> None:
    made = choose("orbit_left", TrajectoryOptions(num_frames=9, time="ping-pong"))
    assert bool((made.times.diff() < 0).any())
    read = choose(saved(tmp_path / "path.json", made))
    torch.testing.assert_close(read.times, made.times, atol=1e-9, rtol=0)
    with pytest.raises(SettingsError, match=r"time goes back: write it as \.json"):
        saved(tmp_path / "path.npz", made)


def test_another_size_and_the_first_frame_survive(tmp_path: Path) -> None:
    made = replace(choose("static", TrajectoryOptions(num_frames=5)).resized(128, 96), first_frame=True)
    read = choose(saved(tmp_path / "path.json", made))
    assert read.first_frame
    torch.testing.assert_close(read.K, made.resized(CLIP.width, CLIP.height).K.double())
    with np.load(saved(tmp_path / "path.npz", made)) as arrays:
        assert (int(arrays["width"]), int(arrays["height"])) == (128, 96)


def test_even_time_needs_two_knots(tmp_path: Path) -> None:
    made = choose("static", TrajectoryOptions(num_frames=41))
    even = replace(made, times=torch.linspace(0, 1, 41, dtype=torch.float64))
    document = json.loads(saved(tmp_path / "path.json", even).read_text())
    assert len(document["time"]) == 2
    assert document["mode"] == "global"


def test_zoom_of_a_file_is_replaced_by_what_is_asked_for_and_checked(tmp_path: Path) -> None:
    path = saved(tmp_path / "path.json", choose("dolly_zoom", TrajectoryOptions(num_frames=5)))
    asked = choose(path, TrajectoryOptions(zoom=3.0))
    assert float(asked.K[-1, 0, 0] / asked.K[0, 0, 0]) == pytest.approx(3.0)
    document = json.loads(path.read_text())
    for wrong, message in (([1, 2], "'zooms' must have num_frames = 5 numbers"), ([1, 0, 1, 1, 1], r"'zooms\[1\]'")):
        path.write_text(json.dumps(document | {"zooms": wrong}))
        with pytest.raises(SettingsError, match=message):
            choose(path)


def test_what_the_camera_cares_for_survives_and_goes_where_the_path_goes(tmp_path: Path) -> None:
    way = PointPath(torch.tensor([0.0, 0.4, 1.0]).double(), torch.tensor([[0.0, 0, 2], [1, 0, 2], [1, 1, 3]]).double())
    made = replace(choose("orbit_left", TrajectoryOptions(num_frames=9)), subject=way)
    path = saved(tmp_path / "path.json", made)
    read = choose(path)
    assert read.subject is not None
    torch.testing.assert_close(read.subject.at(made.times), way.at(made.times), atol=1e-9, rtol=0)
    # Seen from the camera it is where it was, in whatever world the path is laid.
    laid = choose(path, TrajectoryOptions(align_to="clip"))
    assert laid.subject is not None
    assert float((laid.c2w[:, :3, 3] - made.c2w[:, :3, 3]).abs().max()) > 0.01
    sizes = []
    for one, subject in ((made, way), (laid, laid.subject)):
        there = (
            torch.linalg.inv(one.c2w.double())
            @ torch.nn.functional.pad(subject.at(made.times), (0, 1), value=1.0)[:, :, None]
        )
        sizes.append(there[:, :3, 0])
    torch.testing.assert_close(
        torch.nn.functional.normalize(sizes[0]), torch.nn.functional.normalize(sizes[1]), atol=1e-6, rtol=0
    )
    assert choose(saved(tmp_path / "none.json", choose("static", TrajectoryOptions(num_frames=3)))).subject is None


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ([0, 0, 2], "'subject' must be an object"),
        ({"times": [0, 1], "points": [[0, 0, 2]]}, "as many points"),
        ({"times": [1, 0], "points": [[0, 0, 2], [0, 0, 2]]}, "ascending times"),
        ({"times": [0], "points": [[0, 2]]}, "3 numbers"),
        ({"times": [0], "points": [[0, 2, "x"]]}, r"subject.points\[0\]\[2\]"),
    ],
)
def test_a_subject_that_is_none_is_told(tmp_path: Path, subject: Any, message: str) -> None:
    path = saved(tmp_path / "path.json", choose("static", TrajectoryOptions(num_frames=3)))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"subject": subject}))
    with pytest.raises(SettingsError, match=message):
        choose(path)


def test_a_saved_path_is_not_moved_onto_the_clip_without_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "path.json", choose("orbit_left", TrajectoryOptions(num_frames=9)))
    choose(path)
    assert "--align-to" not in capsys.readouterr().out
    choose(path, TrajectoryOptions(align_to="clip"))
    assert "made in the scene's own world" in " ".join(capsys.readouterr().out.split())


def test_places_and_endings_that_will_not_do(tmp_path: Path) -> None:
    made = choose("static", TrajectoryOptions(num_frames=3))
    for name, form, ending in (
        ("path.txt", "auto", r"\.json, or in \.npz"),
        ("path.npz", "nerfstudio", r"\.json: .*'nerfstudio'"),
        ("path.json", "arrays", r"\.npz: .*'arrays'"),
    ):
        with pytest.raises(SettingsError, match=rf"must end in {ending}"):
            saved(tmp_path / name, made, form)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        saved(tmp_path / "file" / "path.json", made)
