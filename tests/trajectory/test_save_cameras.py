"""The file of cameras beside a video says what was drawn, and is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import RunError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.foreign.read import read_foreign
from neoverse_ns.trajectory.save_cameras import write_cameras_beside
from neoverse_ns.trajectory.trajectory import Trajectory


def path(count: int = 120) -> Trajectory:
    """More frames than numbers of two digits can name, with a zoom, and a time that goes back."""
    c2w = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    c2w[:, 0, 3] = torch.linspace(0, 1, count, dtype=torch.float64)
    K = torch.tensor([[50.0, 0, 30], [0, 50, 20], [0, 0, 1]], dtype=torch.float64).repeat(count, 1, 1)
    K[:, 0, 0] += torch.arange(count)
    return Trajectory(PinholeCameras(c2w, K, 60, 40), torch.linspace(1, 0, count, dtype=torch.float64), fps=12.0)


def test_what_is_read_back_is_what_was_drawn_in_its_order(tmp_path: Path) -> None:
    asked = path()
    file = write_cameras_beside(tmp_path / "a.b.mp4", asked)
    assert file.name == "a.b_cameras.json"
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]
    found = read_foreign(file)
    assert torch.equal(found.c2w, asked.c2w)
    assert found.K is not None
    assert found.times is not None
    assert torch.equal(found.K, asked.K)
    assert torch.equal(found.times, asked.times)
    assert found.clock == "shares"
    assert (found.size, found.fps, found.own_world) == ((60, 40), 12.0, True)


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none.*a_cameras\.json"):
        write_cameras_beside(tmp_path / "none" / "a.mp4", path(2))
