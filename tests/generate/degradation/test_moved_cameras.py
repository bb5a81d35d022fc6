"""Where context cameras are moved to, and where they look."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neoverse_ns.generate.degradation.cameras import moved_cameras, sideways_direction
from neoverse_ns.generate.degradation.choices import Choices, Side, draw_choices
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.geometry.se3 import assemble, se3_exp, so3_exp
from tests.shared import shared_file

UP, LEFT, RIGHT, AHEAD = (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def path(motion: tuple[float, float, float], count: int = 4) -> torch.Tensor:
    """Unturned cameras on a line."""
    t = torch.linspace(0, 1, count, dtype=torch.float64)[:, None] * torch.tensor(motion, dtype=torch.float64)
    return assemble(torch.eye(3, dtype=torch.float64).expand(count, 3, 3), t)


@pytest.mark.parametrize("case", ["forward", "sideways"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_cameras_go_where_the_published_simulation_puts_them(case: str, side: Side) -> None:
    arrays = np.load(shared_file("fixtures/degradation_cameras.npz"))
    c2w, depth = (torch.from_numpy(arrays[f"{case}.input.{name}"]).double() for name in ("c2w", "depth"))
    mean = torch.stack([view[view > 0].mean() for view in depth])
    moved = moved_cameras(c2w, mean, 1.0, Choices(side=side, distance=float(arrays[f"{case}.{side}.distance"])))
    wanted = torch.from_numpy(arrays[f"{case}.{side}.c2w"]).double()
    torch.testing.assert_close(moved, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("motion", "left"),
    [
        (AHEAD, LEFT),
        (RIGHT, AHEAD),
        # What rises and advances is passed on the level.
        ((0.0, -1.0, 1.0), LEFT),
        # No motion at all, or one that has no left, counts as motion ahead.
        (UP, LEFT),
        ((0.0, 0.0, 0.0), LEFT),
        ((1e-9, 0.0, 0.0), LEFT),
    ],
)
def test_cameras_go_left_or_right_of_the_overall_motion(
    motion: tuple[float, float, float], left: tuple[float, float, float]
) -> None:
    wanted = torch.tensor(left, dtype=torch.float64)
    signs: dict[Side, int] = {"left": 1, "right": -1}
    for side, sign in signs.items():
        direction = sideways_direction(path(motion), 1.0, side)
        torch.testing.assert_close(direction, sign * wanted, atol=1e-9, rtol=0)


def test_any_motion_gives_a_unit_direction_across_it_which_turns_with_the_world() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(6):
        motion = torch.randn(3, generator=generator, dtype=torch.float64)
        turned = se3_exp(torch.randn(6, generator=generator, dtype=torch.float64))
        c2w = turned @ path(tuple(motion.tolist()))
        direction = sideways_direction(c2w, 1.0, "left")
        assert float(direction.norm()) == pytest.approx(1.0)
        assert float(direction @ (c2w[-1, :3, 3] - c2w[0, :3, 3])) == pytest.approx(0.0, abs=1e-9)
        assert float(direction @ c2w[0, :3, 1]) == pytest.approx(0.0, abs=1e-9)
        alone = sideways_direction(path(tuple(motion.tolist())), 1.0, "left")
        torch.testing.assert_close(direction, turned[:3, :3] @ alone)


def test_a_seed_sends_a_clip_left_as_often_as_right_and_never_elsewhere() -> None:
    generator = torch.Generator().manual_seed(0)
    settings, cameras = DegradationSettings(), path(AHEAD)
    depth = torch.full((len(cameras),), 2.0, dtype=torch.float64)
    lefts = 0
    for _ in range(1000):
        step = moved_cameras(cameras, depth, 1.0, draw_choices(settings, generator))[0, :3, 3]
        assert 0.01 <= float(step[0].abs()) <= 0.1
        torch.testing.assert_close(step[1:], torch.zeros(2, dtype=torch.float64), atol=1e-12, rtol=0)
        lefts += bool(step[0] < 0)
    assert 450 < lefts < 550


def test_a_single_frame_can_be_moved() -> None:
    moved = moved_cameras(path(AHEAD, 1), torch.tensor([2.0], dtype=torch.float64), 1.0, Choices(distance=0.1))
    torch.testing.assert_close(moved[0, :3, 3], 0.1 * torch.tensor(RIGHT, dtype=torch.float64))


def test_moved_cameras_stand_aside_by_the_distance_and_look_at_the_old_view_s_centre() -> None:
    generator = torch.Generator().manual_seed(1)
    c2w = se3_exp(0.3 * torch.randn(5, 6, generator=generator, dtype=torch.float64))
    mean_depth = 1 + torch.rand(5, generator=generator, dtype=torch.float64)
    moved = moved_cameras(c2w, mean_depth, 3.0, Choices(distance=0.05))
    steps = moved[:, :3, 3] - c2w[:, :3, 3]
    torch.testing.assert_close(steps, steps[:1].expand(5, 3))
    assert float(steps[0].norm()) == pytest.approx(0.15)
    centre = c2w[:, :3, 3] + mean_depth[:, None] * c2w[:, :3, 2]
    seen = torch.linalg.solve(moved, torch.cat([centre, torch.ones(5, 1, dtype=torch.float64)], -1)[..., None])[:, :, 0]
    torch.testing.assert_close(seen[:, :2], torch.zeros(5, 2, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(seen[:, 2], (centre - moved[:, :3, 3]).norm(dim=-1))
    eye = torch.eye(3, dtype=torch.float64).expand(5, 3, 3)
    torch.testing.assert_close(moved[:, :3, :3] @ moved[:, :3, :3].mT, eye, atol=1e-9, rtol=0)
    assert (torch.linalg.det(moved[:, :3, :3]) > 0).all()
    # They do not roll: their right axis is level to the first camera, and their down axis points down.
    level = moved[:, :3, 0] @ c2w[0, :3, 1]
    torch.testing.assert_close(level, torch.zeros_like(level), atol=1e-9, rtol=0)
    assert ((moved[:, :3, 1] @ c2w[0, :3, 1]) > 0.5).all()


def test_the_turn_is_added_on_top() -> None:
    c2w, depth = path(AHEAD), torch.full((4,), 2.0, dtype=torch.float64)
    turn = (0.0, 0.0, math.radians(2))
    plain, turned = (moved_cameras(c2w, depth, 1.0, Choices(rotation=r)) for r in ((0.0, 0.0, 0.0), turn))
    assert torch.equal(plain[:, :3, 3], turned[:, :3, 3])
    relative = plain[:, :3, :3].mT @ turned[:, :3, :3]
    torch.testing.assert_close(relative, so3_exp(torch.tensor(turn, dtype=torch.float64)).expand(4, 3, 3))


def test_level_is_the_first_camera_s_or_the_world_s() -> None:
    tilt = se3_exp(torch.tensor([0.0, 0.0, 0.0, 0.3, 0.1, 0.2], dtype=torch.float64))
    c2w = tilt @ path((1.0, 0.2, 0.4))
    depth, down = torch.full((len(c2w),), 2.0, dtype=torch.float64), torch.tensor([0.0, 1, 0], dtype=torch.float64)
    step = moved_cameras(c2w, depth, 1.0, Choices(side="left", distance=0.1), down)[:, :3, 3] - c2w[:, :3, 3]
    motion = c2w[-1, :3, 3] - c2w[0, :3, 3]
    expected = torch.linalg.cross(-down, motion / motion.norm())
    torch.testing.assert_close(step, (0.1 * expected / expected.norm()).expand_as(step))
    own = moved_cameras(c2w, depth, 1.0, Choices(side="left", distance=0.1))[:, :3, 3] - c2w[:, :3, 3]
    assert float((own - step).norm(dim=-1).min()) > 1e-3
