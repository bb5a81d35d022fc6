"""Points fitted to exact and to disturbed observations."""

import torch

from neoverse_ns.export.colmap.adjust import adjust_points, reprojection_errors
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project


def cameras(step: float = 0.3) -> PinholeCameras:
    c2w = torch.eye(4, dtype=torch.float64).repeat(4, 1, 1)
    c2w[:, 0, 3] = torch.arange(4) * step
    K = torch.tensor([[200.0, 0, 100], [0, 210.0, 60], [0, 0, 1]], dtype=torch.float64).repeat(4, 1, 1)
    K[2, 0, 0] = 260.0
    return PinholeCameras(c2w, K, 200, 120)


def seen(points: torch.Tensor, views: PinholeCameras) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    uv, _ = project(points, views.viewmats, views.K)
    frames, count = len(views), len(points)
    return torch.arange(count).repeat(frames), torch.arange(frames).repeat_interleave(count), uv.reshape(-1, 2)


def made_points() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(20, 3, generator=generator, dtype=torch.float64) * 2 + torch.tensor([-0.5, -1.0, 3.0])


def test_observations_from_aside_correct_a_wrong_depth() -> None:
    true, views = made_points(), cameras()
    point, frame, uv = seen(true, views)
    assert reprojection_errors(1.08 * true, views, point, frame, uv).max() > 1
    moved = adjust_points(1.08 * true, torch.zeros(20, 3, dtype=torch.float64), views, point, frame, uv)
    # The depth they came with still counts a little.
    assert ((moved - true).norm(dim=-1) / true.norm(dim=-1)).max() < 0.01
    assert reprojection_errors(moved, views, point, frame, uv).max() < 0.2


def test_without_parallax_the_depth_stays() -> None:
    true, views = made_points(), cameras(step=0.0)
    point, frame, uv = seen(true, views)
    moved = adjust_points(1.08 * true, torch.zeros(20, 3, dtype=torch.float64), views, point, frame, uv)
    torch.testing.assert_close(moved, 1.08 * true, rtol=1e-6, atol=1e-6)
    alone = frame == 0
    once = adjust_points(true, torch.zeros(20, 3, dtype=torch.float64), views, point[alone], frame[alone], uv[alone])
    torch.testing.assert_close(once, true, rtol=1e-6, atol=1e-6)


def test_one_wild_observation_does_not_drag_a_point_along() -> None:
    true, views = made_points(), cameras()
    point, frame, uv = seen(true, views)
    uv = uv.clone()
    uv[40] += 15.0
    moved = adjust_points(true, torch.zeros(20, 3, dtype=torch.float64), views, point, frame, uv)
    assert (moved[0] - true[0]).norm() < 0.06
    errors = reprojection_errors(moved, views, point, frame, uv)
    assert errors.argmax() == 40
    assert errors[40] > 15


def test_behind_a_camera_nothing_fits() -> None:
    views, points = cameras(), torch.tensor([[0.0, 0.0, -3.0]], dtype=torch.float64)
    first = torch.zeros(1, dtype=torch.int64)
    uv, _ = project(points, views.viewmats[0], views.K[0])
    assert reprojection_errors(points, views, first, first, uv).isinf().all()
