"""Rays of lenses against OpenCV's fisheye and against what their pictures are known for."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch

from neoverse_ns.geometry.lenses import around, beside, fisheye, half_spherical, spherical


def coordinates(*rows: list[tuple[float, float]]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def test_fisheye_is_opencvs_without_distortion():
    xy = torch.rand(5, 7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 0.5
    directions = fisheye(xy).directions
    expected = cv2.fisheye.undistortPoints(xy.reshape(-1, 1, 2).numpy(), np.eye(3), np.zeros(4))
    pinhole = (directions[..., :2] / directions[..., 2:]).reshape(-1, 2)
    np.testing.assert_allclose(pinhole.numpy(), expected[:, 0], atol=1e-7)
    torch.testing.assert_close(directions.norm(dim=-1), torch.ones(5, 7, dtype=torch.float64))


def test_fisheye_sees_ahead_aside_behind_and_nothing_beyond():
    row = [(0.0, 0.0), (math.pi / 2, 0.0), (0.0, math.pi / 2), (-3.0, 0.0), (3.2, 0.0)]
    expected = [[0, 0, 1], [1, 0, 0], [0, 1, 0], [-math.sin(3), 0, math.cos(3)], [0, 0, 0]]
    torch.testing.assert_close(fisheye(coordinates(row)).directions[0], torch.tensor(expected, dtype=torch.float64))


def test_panorama_goes_round_to_the_right_and_down():
    row = [(0.0, 0.0), (0.5, 0.0), (-0.5, 0.0), (1.0, 0.0), (0.0, 0.5), (0.0, -0.5), (0.25, 0.25)]
    expected = [[0, 0, 1], [1, 0, 0], [-1, 0, 0], [0, 0, -1], [0, 1, 0], [0, -1, 0], [0.5, math.sqrt(0.5), 0.5]]
    rays = spherical(coordinates(row))
    torch.testing.assert_close(rays.directions[0], torch.tensor(expected, dtype=torch.float64))
    assert not rays.origins.any()


def test_half_a_panorama_ends_at_the_sides():
    rays = beside(half_spherical(coordinates([(-1.0, 0.0), (0.0, 0.0), (1.0, 0.0), (0.0, 0.5)])), -0.3)
    expected = [[-1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    torch.testing.assert_close(rays.directions[0], torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(rays.origins, torch.tensor([[-0.3, 0, 0]] * 4, dtype=torch.float64))


def test_eyes_go_round_square_to_where_they_look():
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)
    xy = torch.stack(torch.meshgrid(x, torch.tensor([-0.2, 0.1], dtype=torch.float64), indexing="xy"), dim=-1)
    rays = around(xy, 0.25)
    torch.testing.assert_close(rays.directions, spherical(xy).directions)
    torch.testing.assert_close(rays.origins.norm(dim=-1), torch.full((9,), 0.25, dtype=torch.float64))
    assert not rays.origins[:, 1].any()
    assert (rays.directions * rays.origins).sum(-1).abs().max() < 1e-12
    # Down x forward is right: the eye asked for on the right stands there, whichever way the column looks.
    down = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64).expand(9, 3)
    assert (torch.linalg.cross(down, rays.directions[0]) * rays.origins).sum(-1).min() > 0.2
    torch.testing.assert_close(around(xy, -0.25).origins, -rays.origins)
