"""Cube faces: every ray on one of them, at the place it looks to, and fine enough."""

from __future__ import annotations

import math

import pytest
import torch

from neoverse_ns.geometry.cube import cube_faces, matching_focal
from neoverse_ns.geometry.lenses import fisheye, spherical
from neoverse_ns.geometry.projection import pixel_centres, project


def panorama(width: int, height: int) -> torch.Tensor:
    size = torch.tensor([width, height], dtype=torch.float64)
    xy = (pixel_centres(height, width, torch.float64) - size / 2) / torch.tensor([width / 2, height])
    return spherical(xy).directions


def test_every_ray_is_projected_onto_its_faces_whose_shares_make_a_whole():
    directions = 3 * panorama(64, 32).reshape(-1, 3)
    faces = cube_faces(directions, 20.0)
    assert len(faces) == 6
    whole = torch.zeros(64 * 32, dtype=torch.float64)
    for face in faces:
        assert face.weights.min() > 0
        whole.index_add_(0, face.rays, face.weights)
    torch.testing.assert_close(whole, torch.ones_like(whole))
    for face in faces:
        torch.testing.assert_close(face.rotation @ face.rotation.T, torch.eye(3, dtype=torch.float64))
        assert torch.linalg.det(face.rotation) == pytest.approx(1)
        viewmat = torch.eye(4, dtype=torch.float64)
        viewmat[:3, :3] = face.rotation
        uv, z = project(directions[face.rays], viewmat, face.K)
        assert z.min() > 0
        torch.testing.assert_close(uv, face.uv)
        # Bilinear sampling needs a pixel's centre on every side.
        size = torch.tensor([face.width, face.height])
        assert (face.uv > 0.5).all()
        assert (face.uv < size - 0.5).all()
        assert max(face.width, face.height) <= 2 * 1.2 * 20 + 6


def test_shares_change_smoothly_from_face_to_face():
    # From straight ahead to the right: all of the first face, a smooth change around 45 degrees, all of the second.
    angle = torch.linspace(0, math.pi / 2, 181, dtype=torch.float64)
    ahead, right = cube_faces(torch.stack([angle.sin(), 0 * angle, angle.cos()], dim=-1), 50.0)
    shares = torch.zeros(181, dtype=torch.float64)
    shares[ahead.rays] = ahead.weights
    assert shares[90] == pytest.approx(0.5)
    assert (shares[:79] == 1).all()
    assert (shares[102:] == 0).all()
    assert (shares.diff() <= 1e-12).all()
    assert shares.diff().abs().max() < 0.1
    assert right.rays.min() == 80


def test_faces_that_no_ray_meets_are_not_drawn_and_others_only_in_part():
    ahead = torch.nn.functional.normalize(torch.tensor([[0.1, 0.0, 1.0], [-0.1, 0.2, 1.0], [0.0, 0.0, 0.0]]), dim=-1)
    (face,) = cube_faces(ahead, 100.0)
    assert face.rays.tolist() == [0, 1]
    assert torch.equal(face.rotation, torch.eye(3))
    assert (face.width, face.height) == pytest.approx((20, 20), abs=6)


def test_distance_over_depth_is_that_of_the_pixels_rays():
    (face,) = cube_faces(torch.tensor([[0.3, -0.2, 1.0], [0.8, 0.7, 1.0]]), 10.0)
    pixels = torch.cat([pixel_centres(face.height, face.width), torch.ones(face.height, face.width, 1)], dim=-1)
    rays = pixels @ torch.linalg.inv(face.K).T
    torch.testing.assert_close(face.distance_over_depth(), rays.norm(dim=-1))


@pytest.mark.parametrize("focal", [70.0, 400.0])
def test_a_pinhole_picture_needs_faces_of_its_own_focal_length(focal: float):
    plane = (pixel_centres(80, 120, torch.float64) - torch.tensor([60.0, 40.0])) / focal
    directions = torch.cat([plane, torch.ones(80, 120, 1, dtype=torch.float64)], dim=-1)
    assert matching_focal(directions) == pytest.approx(focal, rel=1e-2)


def test_panoramas_and_fisheyes_need_a_face_as_fine_as_they_are_ahead():
    assert matching_focal(panorama(640, 320)) == pytest.approx(320 / math.pi, rel=1e-3)
    # Of two unequal densities the wider pixel side counts.
    assert matching_focal(panorama(640, 640)) == pytest.approx(640 / math.pi, rel=1e-3)
    xy = (pixel_centres(400, 400, torch.float64) - 200) / 60
    assert matching_focal(fisheye(xy).directions) == pytest.approx(60, rel=5e-3)


def test_focal_of_pictures_one_pixel_high_or_wide_or_empty():
    assert matching_focal(panorama(640, 320)[160:161]) == pytest.approx(320 / math.pi, rel=1e-3)
    assert matching_focal(panorama(640, 320)[:, 5:6]) == pytest.approx(320 / math.pi, rel=0.02)
    assert matching_focal(torch.zeros(1, 1, 3)) > 0
    assert cube_faces(torch.zeros(4, 3), 5.0) == []
