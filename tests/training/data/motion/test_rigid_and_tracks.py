"""Displacements of posed things and of tracks against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.training.data.motion.rigid import rigid_displacement
from neoverse_ns.training.data.motion.static import static_displacement
from neoverse_ns.training.data.motion.tracks import track_agreement, track_displacement
from neoverse_ns.training.data.motion.view import View

K = torch.tensor([[20.0, 0, 7.0], [0, 22.0, 4.0], [0, 0, 1]], dtype=torch.float64)


def posed_view(depth: torch.Tensor) -> View:
    return View(depth, K, se3_exp(torch.tensor([0.3, -0.2, 0.1, 0.2, 0.1, -0.3], dtype=torch.float64)))


def test_views_project_what_they_unproject() -> None:
    view = posed_view(1 + torch.rand(8, 14, generator=torch.Generator().manual_seed(0)))
    uv, z = view.project(view.points)
    assert torch.allclose(z.float(), view.depth)
    assert torch.allclose(uv[2, 3], torch.tensor([3.5, 2.5], dtype=torch.float64))
    assert view.inside(uv).all()
    assert not view.inside(torch.tensor([[14.0, 1.0], [-0.1, 1.0]], dtype=torch.float64)).any()


def test_things_move_with_their_poses() -> None:
    depth = torch.full((8, 14), 2.0)
    depth[0, 0] = 0
    view = posed_view(depth)
    instances = torch.zeros(8, 14, dtype=torch.int32)
    instances[2:5, 3:8], instances[6, 1], instances[7, 2], instances[7, 3] = 1, 2, 3, 9
    turn = torch.tensor([0.5, 0, 0.2, 0, 0.4, 0], dtype=torch.float64)
    before = se3_exp(torch.tensor([[1.0, 2, 3, 0.1, 0.2, 0.3], [0, 0, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0]])).double()
    after = torch.stack([se3_exp(turn) @ before[0], before[1], torch.full((4, 4), math.nan, dtype=torch.float64)])
    found = rigid_displacement(view, instances, before, after)
    expected = view.points @ se3_exp(turn)[:3, :3].T + se3_exp(turn)[:3, 3] - view.points
    assert torch.allclose(found.world[2:5, 3:8].double(), expected[2:5, 3:8], atol=1e-6)
    still = instances != 1
    assert (found.world[still & found.valid] == 0).all(), "what stands still has a displacement of exactly zero"
    assert not found.valid[0, 0], "depth is unknown"
    assert not found.valid[7, 2], "its pose is unknown"
    assert not found.valid[7, 3], "its number has no pose"
    assert found.valid.sum() == 8 * 14 - 3
    back = rigid_displacement(View(depth, K, view.c2w), instances, after, before)
    assert torch.isfinite(back.world).all()


def test_static_worlds_have_no_motion() -> None:
    depth = torch.tensor([[1.0, 0.0], [math.inf, math.nan]])
    found = static_displacement(depth)
    assert (found.world == 0).all()
    assert found.valid.tolist() == [[True, False], [False, False]]


def test_the_nearest_track_wins_its_pixel() -> None:
    view = View(torch.full((8, 14), 2.0), K, torch.eye(4, dtype=torch.float64))
    view.depth[5, 5] = 0

    def at(x: float, y: float, z: float) -> list[float]:
        return [(x - 7) / 20 * z, (y - 4) / 22 * z, z]

    three_in_a_pixel = [at(3.9, 2.1, 3.0), at(3.1, 2.9, 2.0), at(3.5, 2.5, 1.0)]
    alone = [at(10.2, 6.7, 2.0), at(5.5, 5.5, 2.0), at(20, 2, 2.0), at(1.5, 1.5, 2.0), at(2.5, 1.5, -2.0)]
    places = torch.tensor([*three_in_a_pixel, *alone], dtype=torch.float64)
    later = places + torch.arange(8)[:, None]
    later[6] = math.nan
    visible = torch.tensor([True, True, False, True, True, True, True, True])
    found = track_displacement(view, places, later, visible)
    assert found.valid.nonzero().tolist() == [[2, 3], [6, 10]]
    assert found.world[2, 3].tolist() == pytest.approx([1, 1, 1])
    assert found.world[6, 10].tolist() == pytest.approx([3, 3, 3])
    none = track_displacement(view, torch.zeros(0, 3), torch.zeros(0, 3), torch.zeros(0, dtype=torch.bool))
    assert not none.valid.any()


def test_of_equally_near_tracks_the_first_wins() -> None:
    view = View(torch.full((8, 14), 2.0), K, torch.eye(4, dtype=torch.float64))
    places = torch.tensor([[0.0, 0, 2], [0.01, 0, 2], [0.0, 0.01, 2]], dtype=torch.float64)
    found = track_displacement(view, places, places + torch.tensor([[1.0], [2], [3]]), torch.ones(3, dtype=torch.bool))
    assert found.world[found.valid].tolist() == [[1, 1, 1]]


def test_agreement_tells_shifted_tracks_and_scaled_depth() -> None:
    view = posed_view(torch.full((8, 14), 2.0))
    places = view.points[1::2, 1::2].reshape(-1, 3)
    uv, _ = view.project(places)
    visible = torch.ones(len(places), dtype=torch.bool)
    good = track_agreement(view, places, visible, uv)
    assert good.tracks == len(places)
    assert (good.pixels, good.depth) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-6))
    assert track_agreement(view, places, visible, uv + 3).pixels == pytest.approx(math.sqrt(18))
    assert track_agreement(View(view.depth * 1.1, K, view.c2w), places, visible).depth == pytest.approx(0.1 / 1.1)
    assert math.isnan(track_agreement(view, places, ~visible).pixels)
