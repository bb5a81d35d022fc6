"""Turns to worlds with an axis up."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.export.axes import TURNS, turn_quaternion, turned
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry import quaternions
from tests.gaussians.scenes import random_gaussians

RIGHT, DOWN, FORWARD = torch.eye(3)


def test_up_is_up_and_the_first_camera_looks_where_cameras_of_that_world_do() -> None:
    assert torch.equal(TURNS["y"] @ -DOWN, torch.tensor([0.0, 1.0, 0.0]))
    assert torch.equal(TURNS["y"] @ FORWARD, torch.tensor([0.0, 0.0, -1.0]))
    assert torch.equal(TURNS["z"] @ -DOWN, torch.tensor([0.0, 0.0, 1.0]))
    assert torch.equal(TURNS["z"] @ FORWARD, torch.tensor([0.0, 1.0, 0.0]))
    for up, turn in TURNS.items():
        assert torch.equal(turn @ RIGHT, RIGHT)
        assert float(torch.linalg.det(turn)) == 1.0
        torch.testing.assert_close(quaternions.to_matrix(turn_quaternion(up)), turn)


def test_gaussians_turn_with_their_world() -> None:
    now = at_time(random_gaussians(10), 0.5)
    there = turned(now, "z")
    torch.testing.assert_close(there.means, now.means @ TURNS["z"].T)
    torch.testing.assert_close(
        quaternions.to_matrix(quaternions.normalize(there.quats)),
        TURNS["z"] @ quaternions.to_matrix(quaternions.normalize(now.quats)),
    )
    with pytest.raises(ValueError, match="degree-0"):
        turned(at_time(random_gaussians(3).with_(sh=torch.zeros(3, 4, 3)), 0.5), "y")
