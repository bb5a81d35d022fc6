"""Placing and judging a second camera."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.metrics.unseen_views import best_shift, place_beside, place_by_alignment, score_unseen


@pytest.fixture(scope="module")
def truth() -> SyntheticClip:
    return render_synthetic(5, 96, 64)


def moved_world(cameras: PinholeCameras, scale: float) -> PinholeCameras:
    """The cameras seen from another world, turned, shifted and scaled."""
    motion = se3_exp(torch.tensor([0.3, -1.0, 2.0, 0.4, -0.2, 0.9], dtype=torch.float64))
    sim3 = Sim3(torch.tensor(scale, dtype=torch.float64), motion[:3, :3], motion[:3, 3])
    return replace(cameras, c2w=sim3.apply_c2w(cameras.c2w))


def test_right_cameras_are_placed_in_the_estimates_world(truth: SyntheticClip) -> None:
    left, expected = moved_world(truth.cameras, 0.25), moved_world(truth.right_cameras, 0.25)
    for place in (place_by_alignment, place_beside):
        placed = place(left, truth.cameras, truth.right_cameras)
        assert torch.allclose(placed.c2w.double(), expected.c2w, atol=1e-5)
        assert torch.allclose(placed.K.double(), expected.K, atol=1e-3)


def test_an_assumed_principal_point_is_no_error_of_the_path(truth: SyntheticClip) -> None:
    """Cameras turned to make up for a principal point 4 pixels off see the middle of the right image where it is."""
    left, right = (replace(c, K=c.K.clone()) for c in (truth.cameras, truth.right_cameras))
    for cameras in (left, right):
        cameras.K[:, :2, 2] -= torch.tensor([4.0, 1.0], dtype=cameras.K.dtype)
    ray = torch.linalg.inv(left.K[0].double()) @ torch.tensor([48.0, 32.0, 1.0], dtype=torch.float64)
    ray = ray / ray.norm()
    z = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    axis = torch.linalg.cross(z, ray)
    turn = se3_exp(torch.cat([torch.zeros(3, dtype=torch.float64), axis / axis.norm() * torch.asin(axis.norm())]))
    estimated = replace(truth.cameras, c2w=truth.cameras.c2w.double() @ turn)
    for place in (place_by_alignment, place_beside):
        placed = place(estimated, left, right)
        torch.testing.assert_close(placed.K.double(), truth.right_cameras.K.double(), atol=1e-3, rtol=0)
        expected = truth.right_cameras.c2w.double() @ turn
        torch.testing.assert_close(placed.c2w.double(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("offset", [-7, 0, 11])
def test_best_shift_recovers_a_shift(offset: int) -> None:
    wide = torch.randint(0, 256, (40, 200, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    left, right = wide[:, 40:160], wide[:, 40 - offset : 160 - offset]
    shift, image = best_shift(left, right)
    assert shift == offset
    inner = slice(abs(offset), 120 - abs(offset))
    assert torch.equal(image[:, inner], right[:, inner])


def test_a_perfect_scene_scores_perfectly(truth: SyntheticClip) -> None:
    world = moved_world(truth.cameras, 0.5)
    left = replace(world, c2w=world.c2w.float(), K=world.K.float())

    def draw(views: PinholeCameras, times: torch.Tensor) -> torch.Tensor:
        expected = moved_world(truth.right_cameras, 0.5)
        torch.testing.assert_close(views.c2w.double(), expected.c2w, atol=1e-4, rtol=0)
        return (truth.right_frames // 2) * 2

    result = score_unseen(draw, left, torch.linspace(0, 1, 5), truth)
    assert result["psnr"] > 45
    assert result["psnr"] > result["shift_psnr"] + 10
    assert result["ate_percent"] < 1e-3
    assert abs(result["focal_error_percent"]) < 1e-3
