"""What lengths of moves and files mean in a scene of NeoVerse's network, whose own unit is not the scene's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.trajectory.choose import TrajectoryOptions, choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.files import parse_move, to_document
from neoverse_ns.trajectory.presets import MoveSize, end_pose
from neoverse_ns.trajectory.save import trajectory_document
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.reconstruct.small_scene import small_scene

UNIT = 0.4
"""Length of the scene's unit in the network's: what is 0.1 there is 0.25 here."""
TIMES = torch.linspace(0, 1, 5)
CLIP = ClipFrames(torch.arange(5, dtype=torch.float64) / 4, (0, 1, 2, 3, 4))


def cameras() -> PinholeCameras:
    c2w = se3_exp(torch.arange(5.0)[:, None] * torch.tensor([0.1, -0.02, 0.05, 0.01, 0.03, -0.01]))
    return PinholeCameras(c2w, torch.tensor([[40.0, 0, 24], [0, 40, 16], [0, 0, 1]]).repeat(5, 1, 1), 48, 32)


def choose(name: str | Path, found: float | None = UNIT, **options: Any) -> Trajectory:
    wanted = TrajectoryOptions(**options)
    return choose_trajectory(str(name), cameras(), TIMES, options=wanted, clip=CLIP, network_unit=found)


def relative_end(path: Trajectory) -> torch.Tensor:
    return torch.linalg.inv(cameras().c2w[-1].double()) @ path.c2w[-1].double()


def test_a_presets_lengths_are_the_networks() -> None:
    for name in ("move_right", "orbit_left", "pan_left"):
        expected = end_pose(name, MoveSize(distance=0.25, orbit_radius=2.5))
        torch.testing.assert_close(relative_end(choose(name, num_frames=3)), expected, atol=1e-6, rtol=0)
        plain = end_pose(name)
        torch.testing.assert_close(relative_end(choose(name, None, num_frames=3)), plain, atol=1e-6, rtol=0)
        torch.testing.assert_close(relative_end(choose(name, num_frames=3, unit="scene")), plain, atol=1e-6, rtol=0)


def test_a_files_lengths_are_the_networks_unless_it_says_otherwise(tmp_path: Path) -> None:
    poses = [torch.eye(4).tolist(), end_pose("push_in").tolist()]
    document = {"num_frames": 2, "trajectory": {"frame_indices": [0, 1], "frame_matrices": poses}}
    file = tmp_path / "path.json"
    for more, expected in (({}, 0.25), ({"unit": "scene"}, 0.1), ({"mode": "global"}, 0.25)):
        file.write_text(json.dumps(document | more))
        path = choose(file)
        end = path.c2w[-1] if "mode" in more else relative_end(path)
        assert float(end[2, 3]) == pytest.approx(expected, abs=1e-6)
    file.write_text(json.dumps(document | {"unit": "feet"}))
    with pytest.raises(SettingsError, match="'unit' must be"):
        choose(file)
    assert parse_move(to_document(parse_move(document | {"unit": "scene"}))).unit == "scene"


def test_what_was_saved_is_read_back_in_place(tmp_path: Path) -> None:
    made = choose("move_right", num_frames=4)
    file = tmp_path / "path.json"
    file.write_text(json.dumps(trajectory_document(made, cameras(), 1.0)))
    torch.testing.assert_close(choose(file).c2w, made.c2w, atol=1e-9, rtol=0)


def test_an_exported_scene_knows_its_networks_unit() -> None:
    scene = small_scene()
    assert scene.gaussians is not None
    for report, expected in (({"reconstructor": "network", "unit": UNIT}, UNIT), ({"unit": UNIT}, None)):
        scene.geometry.report.clear()
        scene.geometry.report.update(report)
        clip = scene.clip
        exported = ExportScene(scene.gaussians, scene.geometry.cameras, clip.times, clip.seconds, source=scene)
        assert exported.network_unit == expected
