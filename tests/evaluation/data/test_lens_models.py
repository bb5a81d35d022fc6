"""The lens models against OpenCV's, and what is made of pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from neoverse_ns.evaluation.data.pictures import nearest
from neoverse_ns.evaluation.data.undistort import Lens, straightening

BROWN = (-0.21, 0.07, 0.004, -0.003, 0.01)
FISHEYE = (0.05, -0.02, 0.01, -0.003)


@pytest.mark.parametrize(
    "lens",
    [Lens(50.0, 52.0, 30.5, 20.0, 64, 40, BROWN), Lens(50.0, 52.0, 30.5, 20.0, 64, 40, FISHEYE, "fisheye")],
    ids=["brown", "fisheye"],
)
def test_where_rays_are_seen(lens: Lens) -> None:
    slopes = np.random.default_rng(0).uniform(-0.6, 0.6, (50, 2))
    points = np.concatenate([slopes, np.ones((50, 1))], 1)[:, None]
    matrix = lens.K.copy()
    # OpenCV's pixel centres are whole numbers.
    matrix[:2, 2] -= 0.5
    project = cv2.projectPoints if lens.model == "brown" else cv2.fisheye.projectPoints
    still = np.zeros(3)
    wanted = np.asarray(project(points, still, still, matrix, np.array(lens.coefficients))[0]).reshape(-1, 2)
    x, y = lens.seen(slopes[:, 0], slopes[:, 1])
    assert np.abs(np.stack([x, y], 1) - 0.5 - wanted).max() < 1e-9


def test_a_fisheye_sees_the_axis_at_its_principal_point() -> None:
    lens = Lens(50.0, 52.0, 30.5, 20.0, 64, 40, FISHEYE, "fisheye")
    assert not lens.straight
    assert [value.item() for value in lens.seen(np.zeros(1), np.zeros(1))] == [30.5, 20.0]


def test_skew_is_undone() -> None:
    lens = Lens(50.0, 50.0, 32.0, 20.0, 64, 40, skew=5.0)
    assert not lens.straight
    x, y = lens.seen(np.array([0.1]), np.array([0.2]))
    assert (float(x[0]), float(y[0])) == pytest.approx((32 + 5 + 1, 30))


def test_a_lens_scales_with_its_pictures() -> None:
    small = Lens(50.0, 52.0, 30.5, 20.0, 64, 40, BROWN, skew=1.0).scaled(32, 20)
    assert (small.fx, small.fy, small.cx, small.cy, small.skew) == (25, 26, 15.25, 10, 0.5)
    assert (small.width, small.height, small.coefficients) == (32, 20, BROWN)


def test_a_pinhole_with_another_matrix_moves_the_picture() -> None:
    lens = Lens(40.0, 40.0, 16.0, 12.0, 32, 24)
    image = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    moved = straightening(lens, (40.0, 40.0, 18.0, 13.0))
    assert np.array_equal(moved.picture(image)[1:, 2:], image[:-1, :-2])
    assert not moved.inside[:, :2].any()
    assert moved.inside[1:, 2:].all()
    mask = np.ones((24, 32), bool)
    assert np.array_equal(moved.labels(mask), moved.inside)


def test_nearest_keeps_the_middle_of_pixels() -> None:
    small = np.arange(12.0).reshape(3, 4)
    assert np.array_equal(nearest(nearest(small, (12, 9)), (4, 3)), small)
    assert np.array_equal(nearest(small, (8, 6)), small.repeat(2, 0).repeat(2, 1))
