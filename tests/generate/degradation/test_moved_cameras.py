"""Where context cameras are moved to, and where they look."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from neoverse_ns.generate.degradation.cameras import moved_cameras, sideways_direction
from neoverse_ns.generate.degradation.choices import SIDES, Choices
from neoverse_ns.geometry.se3 import assemble, se3_exp, so3_exp, so3_log

UP, RIGHT, AHEAD = (0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def path(motion: tuple[float, float, float], count: int = 4) -> torch.Tensor:
    """Unturned cameras on a line."""
    t = torch.linspace(0, 1, count, dtype=torch.float64)[:, None] * torch.tensor(motion, dtype=torch.float64)
    return assemble(torch.eye(3, dtype=torch.float64).expand(count, 3, 3), t)


@pytest.mark.parametrize(
    ("motion", "sides", "wanted"),
    [
        (AHEAD, ("up", "left", "right"), RIGHT),
        (AHEAD, ("left", "up", "right"), UP),
        (AHEAD, ("right", "up", "left"), (0.0, 1.0, 0.0)),
        # Motion to the right is parallel to left and right, so that up decides, whichever comes first.
        (RIGHT, ("left", "right", "up"), (0.0, 0.0, -1.0)),
        (UP, ("up", "left", "right"), (0.0, 0.0, -1.0)),
        # No motion at all counts as motion ahead.
        ((0.0, 0.0, 0.0), ("up", "left", "right"), RIGHT),
        ((1e-5, 0.0, 0.0), ("up", "left", "right"), RIGHT),
    ],
)
def test_cameras_go_across_the_overall_motion(
    motion: tuple[float, float, float], sides: tuple, wanted: tuple[float, float, float]
) -> None:
    direction = sideways_direction(path(motion), 1.0, sides)
    torch.testing.assert_close(direction, torch.tensor(wanted, dtype=torch.float64), atol=1e-9, rtol=0)


def test_any_motion_and_order_give_a_unit_direction_across_it() -> None:
    generator = torch.Generator().manual_seed(0)
    for sides in itertools.permutations(SIDES):
        motion = torch.randn(3, generator=generator, dtype=torch.float64)
        turned = se3_exp(torch.randn(6, generator=generator, dtype=torch.float64))
        c2w = turned @ path(tuple(motion.tolist()))
        direction = sideways_direction(c2w, 1.0, sides)
        assert float(direction.norm()) == pytest.approx(1.0)
        assert float(direction @ (c2w[-1, :3, 3] - c2w[0, :3, 3])) == pytest.approx(0.0, abs=1e-9)
        # The axes are the first camera's, so that turning the world turns the direction with it.
        alone = sideways_direction(path(tuple(motion.tolist())), 1.0, sides)
        torch.testing.assert_close(direction, turned[:3, :3] @ alone)


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
    # They turn as little as looking there asks for: no roll.
    angle = so3_log(c2w[:, :3, :3].mT @ moved[:, :3, :3]).norm(dim=-1)
    assert float(angle.max()) < 0.2


def test_the_turn_is_added_on_top() -> None:
    c2w, depth = path(AHEAD), torch.full((4,), 2.0, dtype=torch.float64)
    turn = (0.0, 0.0, math.radians(2))
    plain, turned = (moved_cameras(c2w, depth, 1.0, Choices(rotation=r)) for r in ((0.0, 0.0, 0.0), turn))
    assert torch.equal(plain[:, :3, 3], turned[:, :3, 3])
    relative = plain[:, :3, :3].mT @ turned[:, :3, :3]
    torch.testing.assert_close(relative, so3_exp(torch.tensor(turn, dtype=torch.float64)).expand(4, 3, 3))
