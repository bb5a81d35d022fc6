"""Projection against OpenCV, and its inverse."""

import cv2
import numpy as np
import torch

from neoverse_ns.geometry.projection import pixel_centres, project, unproject
from neoverse_ns.geometry.se3 import se3_exp, se3_inverse


def example(batch: int = 2):
    torch.manual_seed(0)
    K = torch.tensor([[80.0, 0, 31.0], [0, 85.0, 25.5], [0, 0, 1]], dtype=torch.float64).expand(batch, 3, 3)
    c2w = se3_exp(0.3 * torch.randn(batch, 6, dtype=torch.float64))
    return K, c2w


def test_pixel_centres_are_x_then_y_at_half():
    grid = pixel_centres(2, 3)
    assert grid.tolist() == [[[0.5, 0.5], [1.5, 0.5], [2.5, 0.5]], [[0.5, 1.5], [1.5, 1.5], [2.5, 1.5]]]


def test_projection_matches_opencv():
    K, c2w = example()
    points = torch.randn(2, 40, 3, dtype=torch.float64) + torch.tensor([0, 0, 5.0])
    viewmats = se3_inverse(c2w)
    uv, z = project(points, viewmats, K)
    for i in range(2):
        rotation_vector, _ = cv2.Rodrigues(viewmats[i, :3, :3].numpy())
        expected, _ = cv2.projectPoints(
            points[i].numpy(), rotation_vector, viewmats[i, :3, 3].numpy(), K[i].numpy(), np.zeros(4)
        )
        np.testing.assert_allclose(uv[i].numpy(), expected[:, 0], atol=1e-9)
        np.testing.assert_allclose(
            z[i].numpy(), (points[i] - c2w[i, :3, 3]).numpy() @ c2w[i, :3, 2].numpy(), atol=1e-12
        )


def test_unprojected_pixels_project_back_onto_their_centres():
    K, c2w = example()
    depth = 1 + torch.rand(2, 50, 60, dtype=torch.float64)
    points = unproject(depth, K, c2w)
    uv, z = project(points.flatten(1, 2), se3_inverse(c2w), K)
    expected = pixel_centres(50, 60, torch.float64).flatten(0, 1).expand(2, -1, -1)
    torch.testing.assert_close(uv, expected, atol=1e-9, rtol=0)
    torch.testing.assert_close(z, depth.flatten(1), atol=1e-12, rtol=0)


def test_one_point_set_can_be_seen_by_many_cameras():
    K, c2w = example(3)
    points = torch.randn(7, 3, dtype=torch.float64)
    uv, z = project(points, se3_inverse(c2w), K)
    assert uv.shape == (3, 7, 2)
    torch.testing.assert_close(z[1], project(points, se3_inverse(c2w[1]), K[1])[1])


def test_points_in_the_camera_plane_leave_gradients_of_the_others_finite():
    points = torch.tensor([[0.1, 0.2, 0.0], [0.1, 0.2, 2.0], [0.0, 0.0, -1.0]], requires_grad=True)
    uv, z = project(points, torch.eye(4), torch.eye(3))
    torch.where((z > 0)[:, None], uv, torch.zeros_like(uv)).sum().backward()
    assert points.grad is not None
    assert points.grad.isfinite().all()
    assert points.grad[1].abs().sum() > 0
