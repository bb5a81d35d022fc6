"""Paths before a scene that can be calculated: jumps, walls, and looking past the end of what was seen."""

from __future__ import annotations

import math

import pytest
import torch

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import assemble, so3_exp
from neoverse_ns.trajectory.checks.check import UNSEEN, check_path, seen_surfaces
from neoverse_ns.trajectory.checks.report import PathReport, stretches
from neoverse_ns.trajectory.checks.solid import SeenSurfaces, went_through
from neoverse_ns.trajectory.checks.speed import speed_problems, steps_of
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.export.layered_scene import FOCAL, HEIGHT, SQUARE, WALL, WIDTH, layered_scene

SCENE = layered_scene()


def path(centres: torch.Tensor, yaw: torch.Tensor | None = None, fps: float | None = None) -> Trajectory:
    """Cameras looking forward, or turned to the right by degrees."""
    count = len(centres)
    yaw = torch.zeros(count) if yaw is None else yaw
    turns = torch.zeros(count, 3)
    turns[:, 1] = torch.deg2rad(yaw)
    K = SCENE.cameras.K[:1].repeat(count, 1, 1)
    cameras = PinholeCameras(assemble(so3_exp(turns), centres.float()), K, WIDTH, HEIGHT)
    return Trajectory(cameras, torch.linspace(0, 1, count), fps=fps)


def along(axis: int, end: float, count: int) -> torch.Tensor:
    centres = torch.zeros(count, 3)
    centres[:, axis] = torch.linspace(0, end, count)
    return centres


def checked(trajectory: Trajectory) -> PathReport:
    return check_path(SCENE.gaussians, SCENE.cameras, SCENE.times, trajectory)


def test_a_path_that_keeps_to_what_was_seen_has_no_problem() -> None:
    report = checked(path(along(0, 0.1, 9), fps=24.0))
    assert report.problems == ()
    assert float(report.unseen.max()) < 0.02
    assert not report.inside.any()
    torch.testing.assert_close(report.clearance, torch.full((9,), SQUARE).double(), atol=0.03, rtol=0)
    torch.testing.assert_close(report.moved, torch.full((8,), 0.1 / 8).double(), atol=1e-6, rtol=0)
    assert "9 frames, 0.4 s at 24 per second; up to 0.30 units and 0 degrees a second" in report.summary()


def test_a_wall_is_gone_through_in_the_frame_that_lies_behind_it() -> None:
    """Aside of the square, straight at the wall, and back."""
    there = along(2, WALL + 0.6, 14)
    there[:, 0] = -0.7
    report = checked(path(torch.cat([there, there.flip(0)])))
    expected = torch.cat([there, there.flip(0)])[:, 2] > WALL
    (collision,) = report.of_kind("collision")
    first, last = (int(i) for i in expected.nonzero()[[0, -1], 0])
    assert (collision.first, collision.last) == (first, last)
    assert str(collision) == f"frames {first} to {last}: the camera has gone through a surface after frame {first - 1}"
    # Before that it comes too close.
    assert report.of_kind("close")[0].last == first - 1
    assert not report.of_kind("jump")
    assert not report.of_kind("unseen")


def test_behind_an_edge_is_not_through_a_surface() -> None:
    """A path to the hidden room between square and wall: around the square it is free, through it it is not."""
    c2w = torch.eye(4)[None]
    K = torch.tensor([[[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]]])
    depth = torch.full((1, HEIGHT, WIDTH), WALL)
    depth[:, 20:44, 30:66] = SQUARE
    seen = SeenSurfaces(PinholeCameras(c2w, K, WIDTH, HEIGHT), depth)
    behind = torch.tensor([0.0, 0.0, 1.7])
    beside = torch.tensor([0.6, 0.0, 1.7])
    before = torch.tensor([0.0, 0.0, 1.0])
    assert went_through(seen, torch.stack([before, behind, before])).tolist() == [False, True, False]
    assert went_through(seen, torch.stack([before, beside, behind])).tolist() == [False, False, False]
    # In small steps just as in large ones.
    steps = torch.lerp(beside, behind, torch.linspace(0, 1, 50)[:, None])
    assert not went_through(seen, steps).any()
    steps = torch.lerp(before, behind, torch.linspace(0, 1, 50)[:, None])
    assert went_through(seen, steps).sum() == (steps[:, 2] > SQUARE * 1.02).sum()
    # Where nobody looked, nothing is known.
    assert torch.isnan(seen.gap(torch.tensor([[0.0, 0.0, -1.0]]).double())).all()
    assert not went_through(seen, torch.tensor([[0.0, 0, 1.0], [5.0, 0, 1.0], [0.0, 5, 1.0]])).any()


def test_one_camera_that_sees_past_a_place_makes_it_free() -> None:
    c2w = torch.eye(4).repeat(2, 1, 1)
    K = SCENE.cameras.K[:1].repeat(2, 1, 1)
    depth = torch.stack([torch.full((HEIGHT, WIDTH), 1.0), torch.full((HEIGHT, WIDTH), 3.0)])
    seen = SeenSurfaces(PinholeCameras(c2w, K, WIDTH, HEIGHT), depth)
    gap = seen.gap(torch.tensor([[0.0, 0, 2.0], [0.0, 0, 4.0]]).double())
    assert gap.tolist() == pytest.approx([1 / 3, -1 / 3])
    open_sky = SeenSurfaces(seen.cameras, torch.where(depth > 2, torch.inf, depth))
    assert open_sky.gap(torch.tensor([[0.0, 0, 9.0]]).double()).tolist() == [math.inf]


def test_surfaces_are_where_they_are_and_the_far_field_is_none() -> None:
    surfaces = seen_surfaces(SCENE.gaussians.without("far_field"), SCENE.cameras, SCENE.times)
    middle = surfaces.depth[:, HEIGHT // 2, WIDTH // 2]
    torch.testing.assert_close(middle, torch.full_like(middle, SQUARE), atol=0.03, rtol=0)
    assert torch.isfinite(surfaces.depth).float().mean() > 0.99


def test_what_was_never_seen_is_told_with_its_share_and_frame() -> None:
    """The wall ends at x = 2.4: turning away from it, the far field alone fills a growing part of the picture."""
    yaw = torch.linspace(0, 70, 36)
    report = checked(path(torch.zeros(36, 3), yaw))
    (problem,) = report.of_kind("unseen")
    # Where the wall's end stands in the picture; the Gaussians there blur it by some pixels.
    ends = 2 * FOCAL / WIDTH * torch.tan(math.atan(2.4 / WALL) - torch.deg2rad(yaw))
    expected = (0.5 - 0.5 * ends).clamp(0, 1).double()
    torch.testing.assert_close(report.unseen, expected, atol=0.05, rtol=0)
    assert float(expected[-1]) > 0.8
    assert (problem.first, problem.last) == (int((report.unseen > UNSEEN).int().argmax()), 35)
    assert f"up to {100 * float(report.unseen.max()):.0f} % of the picture was never seen" in problem.message
    assert f"(most in frame {int(report.unseen.argmax())})" in problem.message


@pytest.mark.parametrize(("share", "told"), [(0.07, False), (0.14, True)])
def test_an_edge_of_a_tenth_is_a_problem(share: float, told: bool) -> None:
    """A camera that looks past the wall's end in some columns to its right."""
    # Half the picture, less the edge, is the tangent from the axis to the wall's end.
    # The Gaussians there reach four pixels past it.
    end = (0.5 - share) * WIDTH - 4
    yaw = math.atan(2.4 / WALL) - math.atan(end / FOCAL)
    report = checked(path(torch.zeros(3, 3), torch.full((3,), math.degrees(yaw))))
    assert float(report.unseen.max()) == pytest.approx(share, abs=0.02)
    assert bool(report.of_kind("unseen")) == told
    percent = f"{100 * float(report.unseen.max()):.0f} %"
    assert f"at most {percent} of a picture was never seen (frame 0)" in report.summary()


def test_long_paths_are_looked_at_here_and_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neoverse_ns.trajectory.checks.check.MOST", 7)
    yaw = torch.linspace(0, 70, 43)
    few = checked(path(torch.zeros(43, 3), yaw))
    monkeypatch.undo()
    every = checked(path(torch.zeros(43, 3), yaw))
    assert len(few) == len(every) == 43
    assert float((few.unseen - every.unseen).abs().max()) < 0.05
    assert torch.equal(few.unseen[[0, 42]], every.unseen[[0, 42]])
    torch.testing.assert_close(few.turned, every.turned)


def test_a_jump_is_told_with_its_frame_and_a_fast_stretch_as_a_whole() -> None:
    yaw = torch.linspace(0, 8, 20)
    yaw[11:] += 15
    (jump,) = checked(path(torch.zeros(20, 3), yaw)).of_kind("jump")
    assert (jump.first, jump.last) == (11, 11)
    assert "from frame 10" in jump.message
    assert "15.4 degrees" in jump.message
    fast = checked(path(torch.zeros(12, 3), torch.linspace(0, 60, 12)))
    assert not fast.of_kind("jump")
    (stretch,) = fast.of_kind("fast")
    assert (stretch.first, stretch.last) == (1, 11)
    middle = math.tan(math.radians(60 / 11)) * FOCAL / WIDTH
    # Toward the rim the picture shifts somewhat more than in its middle.
    assert middle < float(fast.shift.max()) < 1.4 * middle
    assert f"up to {100 * float(fast.shift.max()):.0f} % of its width" in stretch.message


def test_steps_are_measured_by_what_they_do_to_the_picture() -> None:
    cameras = path(along(0, 0.5, 2)).cameras
    moved, turned, shift = steps_of(cameras, torch.tensor([2.0, 4.0]))
    assert float(moved) == pytest.approx(0.5)
    assert float(turned) == pytest.approx(0)
    assert float(shift) == pytest.approx(0.25 * FOCAL / WIDTH)
    quiet = torch.full((9,), 1e-4).double()
    quiet[4] = 1e-2
    assert speed_problems(quiet, quiet, quiet, quiet) == []
    # Straight ahead, half the way to what is seen, everything doubles its distance from the middle.
    ahead = steps_of(path(along(2, 1.0, 2)).cameras, torch.tensor([2.0, 1.0]))[2]
    corner, side, top = math.hypot(WIDTH, HEIGHT) / 2, WIDTH / 2, HEIGHT / 2
    assert float(ahead) == pytest.approx((4 * corner + 2 * side + 2 * top) / 9 / WIDTH)
    # So does a zoom, and what comes to lie behind the camera has left.
    cameras = path(torch.zeros(2, 3)).cameras
    cameras.K[1, [0, 1], [0, 1]] *= 2
    assert float(steps_of(cameras, torch.tensor([2.0, 2.0]))[2]) == pytest.approx(float(ahead))
    assert float(steps_of(path(along(2, 3.0, 2)).cameras, torch.tensor([2.0, 2.0]))[2]) == 1.0


def test_one_frame_is_a_path_too() -> None:
    report = checked(path(torch.zeros(1, 3)))
    assert len(report) == 1
    assert report.problems == ()
    assert "1 frames" in report.summary()


def test_stretches_of_flags() -> None:
    assert list(stretches(torch.tensor([True, False, True, True, False, True]))) == [(0, 0), (2, 3), (5, 5)]
    assert list(stretches(torch.zeros(3, dtype=torch.bool))) == []
