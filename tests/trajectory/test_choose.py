"""Trajectories as users name them: presets, files, camera paths, and what may be changed about them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.trajectory.camera_path import to_camera_path
from neoverse_ns.trajectory.choose import TrajectoryOptions, choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.presets import MoveSize, end_pose
from neoverse_ns.trajectory.trajectory import Trajectory

WIDTH, HEIGHT = 48, 32
TURN = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]], dtype=torch.float64)


def cameras() -> PinholeCameras:
    steps = torch.arange(5, dtype=torch.float32)[:, None]
    c2w = se3_exp(steps * torch.tensor([0.1, -0.02, 0.05, 0.01, 0.03, -0.01]))
    K = torch.tensor([[40.0, 0.0, 23.0], [0.0, 42.0, 17.5], [0.0, 0.0, 1.0]]).repeat(5, 1, 1)
    return PinholeCameras(c2w, K, WIDTH, HEIGHT)


CLIP = ClipFrames(torch.arange(5, dtype=torch.float64) / 2, (3, 4, 5, 6, 7))
"""Two seconds long."""


def choose(name: str | Path, **options: Any) -> Trajectory:
    back = Sim3(torch.ones((), dtype=torch.float64), TURN.mT, torch.zeros(3, dtype=torch.float64))
    return choose_trajectory(str(name), cameras(), torch.linspace(0, 1, 5), back, TrajectoryOptions(**options), CLIP)


def write(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "path.json"
    path.write_text(json.dumps(document), "utf8")
    return path


def test_a_preset_starts_from_the_clips_cameras() -> None:
    trajectory = choose("push_in", num_frames=9, zoom=2.0, size=MoveSize(distance=0.3))
    assert len(trajectory) == 9
    torch.testing.assert_close(trajectory.c2w[0], cameras().c2w[0].double())
    end = cameras().c2w[-1].double() @ end_pose("push_in", MoveSize(distance=0.3))
    torch.testing.assert_close(trajectory.c2w[-1], end)
    torch.testing.assert_close(trajectory.times, torch.linspace(0, 1, 9, dtype=torch.float64))
    assert trajectory.K[:, 0, 0].tolist() == pytest.approx(torch.linspace(40, 80, 9).tolist())
    assert torch.equal(trajectory.K[0], cameras().K[0].double())
    assert (trajectory.cameras.width, trajectory.cameras.height) == (WIDTH, HEIGHT)
    assert len(choose("static")) == 81


def test_a_preset_keeps_the_first_frame_where_it_begins_with_the_clip() -> None:
    assert choose("push_in", num_frames=9).first_frame
    assert choose("push_in", num_frames=9, time="slow 2x").first_frame
    assert not choose("push_in", num_frames=9, time="reverse").first_frame
    assert not choose("push_in", num_frames=9, time="reverse", follow="time").first_frame


def test_a_trajectory_file_says_its_own_length_zoom_and_first_frame(tmp_path: Path) -> None:
    document = {
        "name": "aside",
        "num_frames": 7,
        "zoom_ratio": 1.5,
        "use_first_frame": True,
        "keyframes": [{"0": [{"static": {}}]}, {"6": [{"move_right": {"distance": 0.2}}]}],
    }
    path = write(tmp_path, document)
    chosen = choose(path)
    assert len(chosen) == 7
    assert chosen.first_frame
    assert float(chosen.K[-1, 0, 0]) == pytest.approx(60)
    # The clip's own motion, and 0.2 to the right at the end.
    aside = cameras().c2w[-1].double() @ end_pose("move_right", MoveSize(distance=0.2))
    torch.testing.assert_close(chosen.c2w[-1], aside)
    slower = choose(path, num_frames=13, zoom=1.0)
    assert len(slower) == 13
    assert float(slower.K[-1, 0, 0]) == 40.0
    torch.testing.assert_close(slower.c2w[::2], chosen.c2w)


def test_a_camera_path_stands_where_nerfstudio_draws_it(tmp_path: Path) -> None:
    turned = cameras().c2w.double().clone()
    turned[:, :3] = TURN @ turned[:, :3]
    fov = [50.0, 50.0, 50.0, 50.0, 25.0]
    document = to_camera_path(
        turned, torch.tensor(fov, dtype=torch.float64), torch.linspace(0.2, 0.8, 5, dtype=torch.float64), 96, 64, 8.0
    )
    chosen = choose(write(tmp_path, document))
    torch.testing.assert_close(chosen.c2w, cameras().c2w.double(), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(chosen.times, torch.linspace(0.2, 0.8, 5, dtype=torch.float64))
    # The field of view is the path's own, at the clip's height and with the clip's pixel shape.
    seen = chosen.K.float()
    torch.testing.assert_close(seen[:, 1, 1], 16 / torch.tensor([math.tan(math.radians(f / 2)) for f in fov]))
    torch.testing.assert_close(seen[:, 0, 0] / seen[:, 1, 1], torch.full((5,), 40 / 42))
    assert torch.equal(seen[0, :2, 2], cameras().K[0, :2, 2])
    assert chosen.fps == 8.0


def test_resampling_keeps_the_ends_and_what_lies_between() -> None:
    path = Trajectory(cameras()[:1], torch.tensor([0.3]))
    assert len(path.resampled(4)) == 4
    assert path.resampled(None) is path
    longer = choose("orbit_left", num_frames=11, zoom=3.0)
    shorter = longer.resampled(6)
    torch.testing.assert_close(shorter.c2w, longer.c2w[::2])
    torch.testing.assert_close(shorter.times, longer.times[::2])
    torch.testing.assert_close(shorter.K, longer.K[::2])


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("spin", {}, "spin"),
        ("gone.json", {}, "gone.json"),
        ("static", {"num_frames": 0}, "num_frames"),
        ("static", {"zoom": math.nan}, "zoom"),
        ("static", {"zoom": -1.0}, "zoom"),
        ("static", {"size": MoveSize(angle=math.inf)}, "angle"),
        ("static", {"fps": 0.0}, "fps"),
        ("static", {"duration": -1.0}, "duration"),
        ("static", {"duration": 1.0, "num_frames": 3}, "either num_frames or duration"),
        ("static", {"duration": 1e6, "fps": 60.0}, "more than"),
        ("static", {"time": "0:9s"}, "9s"),
        ("static", {"time": "sometimes"}, "sometimes"),
        ("static", {"align_to": "clip"}, "align_to"),
    ],
)
def test_what_is_wrong_is_named(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        choose(name, **options)


@pytest.mark.parametrize(
    "document",
    [{"camera_path": []}, {"camera_path": [{"fov": 50}]}, {"keyframes": []}, {"num_frames": 4}, {"frames": []}],
)
def test_an_empty_or_broken_file_is_named(document: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"path\.json"):
        choose(write(tmp_path, document))
