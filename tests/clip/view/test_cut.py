"""Cutting views: against a pinhole camera in the same world, and sizes that fit what is cut."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neoverse_ns.clip.view.choice import Direction, Half
from neoverse_ns.clip.view.cut import HalfCut, SphereCut
from neoverse_ns.clip.view.layout import HALF_SPHERE, Sphere
from tests.clip.view.pictures import eyes, panorama, pinhole


def off(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


@pytest.mark.parametrize(
    ("yaw", "pitch", "fov"),
    [
        (0.0, 0.0, 90.0),
        (180.0, 0.0, 90.0),
        (-200.0, 10.0, 60.0),
        (45.0, -35.0, 100.0),
        (0.0, 90.0, 80.0),
        (90.0, -90.0, 60.0),
    ],
)
def test_a_view_is_what_a_pinhole_camera_sees(yaw: float, pitch: float, fov: float) -> None:
    picture = panorama(720)
    cut = SphereCut(Sphere(), Direction(yaw, pitch, fov))
    view = cut.apply(picture)
    size = cut.size((720, 360))
    assert view.shape == (size[1], size[0], 3)
    assert size[0] / size[1] == pytest.approx(4 / 3, rel=0.02)
    # Rounding the size widens the view by a fraction of a pixel.
    exact = 2 * math.degrees(math.atan(size[0] / 2 / cut.focal((720, 360))))
    assert exact == pytest.approx(fov, abs=0.5)
    assert off(view, pinhole(size, exact, yaw, pitch)) < 1.5
    assert off(view, pinhole(size, exact, yaw + 15, pitch)) > 5


def test_a_part_of_the_sphere() -> None:
    # 180 degrees as VR180 has it, and a panorama that lacks a quarter at the left and a third at the bottom.
    half = SphereCut(HALF_SPHERE, Direction(20.0, 5.0, 60.0))
    picture = panorama(360, 180, 180)
    size = half.size((360, 360))
    fov = 2 * math.degrees(math.atan(size[0] / 2 / half.focal((360, 360))))
    assert off(half.apply(picture), pinhole(size, fov, 20.0, 5.0)) < 1.5
    cropped = panorama(720)[:240, 180:]
    part = SphereCut(Sphere(left=0.25, bottom=1 / 3), Direction(30.0, 10.0, 50.0))
    size = part.size((540, 240))
    assert part.focal((540, 240)) == pytest.approx(720 / (2 * math.pi))
    fov = 2 * math.degrees(math.atan(size[0] / 2 / part.focal((540, 240))))
    assert off(part.apply(cropped), pinhole(size, fov, 30.0, 10.0)) < 1.5
    # Nothing is known of what lies beyond.
    beyond = SphereCut(Sphere(left=0.25), Direction(-150.0, 0.0, 40.0)).apply(cropped)
    assert beyond.max() == 0


def test_halves() -> None:
    left, right = eyes((60, 40))
    beside, above = np.concatenate([left, right], axis=1), np.concatenate([left, right], axis=0)
    cases: list[tuple[Half, np.ndarray, np.ndarray]] = [
        ("left", beside, left),
        ("right", beside, right),
        ("top", above, left),
        ("bottom", above, right),
    ]
    for half, picture, eye in cases:
        cut = HalfCut(half, squeezed=False)
        assert np.array_equal(cut.apply(picture), eye)
        assert cut.size((picture.shape[1], picture.shape[0])) == (60, 40)
        assert cut.focal((120, 40)) is None
    # A line too many belongs to nobody.
    odd = np.concatenate([left, left[:, :1], right], axis=1)
    assert np.array_equal(HalfCut("right", False).apply(odd), right)
    assert HalfCut("left", squeezed=True).size((1920, 1080)) == (1920, 1080)


@pytest.mark.parametrize(
    "cut",
    [
        HalfCut("left", False),
        HalfCut("top", True),
        SphereCut(Sphere(), Direction(10.0, 0.0, 90.0)),
        SphereCut(Sphere(), Direction(10.0, 0.0, 90.0), HalfCut("top", False)),
    ],
)
def test_reduced_pictures_still_give_enough(cut: HalfCut | SphereCut) -> None:
    whole = (1600, 1600)
    for needed in ((160, 96), (64, 64)):
        least = cut.least(needed, whole)
        assert max(least) < 1600
        view = cut.apply(np.zeros((least[1], least[0], 3), np.uint8))
        # A squeezed half is stretched to its shape later.
        assert view.shape[1] >= needed[0] - 1
        assert view.shape[0] >= needed[1] / (2 if cut == HalfCut("top", True) else 1) - 1
    assert cut.least((5000, 5000), whole) == whole


def test_an_eye_of_a_stereo_panorama() -> None:
    picture = np.concatenate([panorama(720), panorama(720, seed=1)], axis=0)
    halves: list[tuple[Half, int]] = [("top", 0), ("bottom", 1)]
    for half, seed in halves:
        cut = SphereCut(Sphere(), Direction(-60.0, 0.0, 70.0), HalfCut(half, False))
        size = cut.size((720, 720))
        fov = 2 * math.degrees(math.atan(size[0] / 2 / cut.focal((720, 720))))
        assert off(cut.apply(picture), pinhole(size, fov, -60.0, 0.0, seed)) < 1.5
    # Squeezed beside each other: the view's pixels are square all the same.
    squeezed = np.concatenate([panorama(720)[:, ::2], panorama(720, seed=1)[:, ::2]], axis=1)
    cut = SphereCut(Sphere(), Direction(-60.0, 0.0, 70.0), HalfCut("left", True))
    size = cut.size((720, 360))
    fov = 2 * math.degrees(math.atan(size[0] / 2 / cut.focal((720, 360))))
    assert off(cut.apply(squeezed), pinhole(size, fov, -60.0, 0.0)) < 3
