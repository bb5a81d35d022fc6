"""Telling pairs, spheres and round pictures by looking, and not seeing them where there are none."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import open_source
from neoverse_ns.clip.synthetic import render_synthetic
from neoverse_ns.clip.view.choice import ViewChoice
from neoverse_ns.clip.view.decide import choose_cut
from neoverse_ns.clip.view.pairs import find_pair
from neoverse_ns.clip.view.spheres import find_sphere, is_round
from tests.clip.view.pictures import panorama
from tests.shared import shared_file

Pictures = list[np.ndarray]
CLIPS = (
    *("bikes", "car_turn", "dog", "forest_steps", "night_crowd", "parked_cars", "rainy_lane", "robot"),
    *("shrine_path", "slot_canyon", "street_crossing", "tree_and_building", "trulli_village"),
)
FOLDERS = ("moving_hand", "office_desk", "people_walking", "room_depth", "street_stereo")


@pytest.fixture(scope="module")
def both() -> tuple[Pictures, Pictures]:
    """Three moments of a scene with depth and motion, as the left and the right camera see it."""
    clip = render_synthetic(9, 384, 216)
    return [f.numpy() for f in clip.frames[::4]], [f.numpy() for f in clip.right_frames[::4]]


def beside(left: Pictures, right: Pictures) -> Pictures:
    return [np.concatenate(pair, axis=1) for pair in zip(left, right, strict=True)]


def above(top: Pictures, bottom: Pictures) -> Pictures:
    return [np.concatenate(pair, axis=0) for pair in zip(top, bottom, strict=True)]


def resized(images: Pictures, width: int, height: int) -> Pictures:
    return [cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in images]


def framed(images: Pictures, rows: int, columns: int, grey: int = 0) -> Pictures:
    return [cv2.copyMakeBorder(i, rows, rows, columns, columns, cv2.BORDER_CONSTANT, value=(grey,) * 3) for i in images]


def test_pairs_are_found(both: tuple[Pictures, Pictures]) -> None:
    left, right = both
    assert find_pair(beside(left, right)) == "beside"
    assert find_pair(beside(right, left)) == "beside"
    assert find_pair(above(left, right)) == "above"
    assert find_pair(resized(beside(left, right), 384, 216)) == "beside"
    assert find_pair(resized(above(left, right), 384, 216)) == "above"
    # Faded to black for a while, or with bars around each eye.
    assert find_pair([*beside(left, right), np.zeros((216, 768, 3), np.uint8)]) == "beside"
    assert find_pair(beside(framed(left, 20, 0), framed(right, 20, 0))) == "beside"


def mirrored(images: Pictures) -> Pictures:
    return beside(images, [image[:, ::-1] for image in images])


def in_water(images: Pictures) -> Pictures:
    return above(images, [image[::-1] for image in images])


def with_a_bar(images: Pictures) -> Pictures:
    marked = [image.copy() for image in images]
    for image in marked:
        image[:, 184:200] = 0
    return marked


def of_two_places(images: Pictures) -> Pictures:
    return beside(images, [cv2.rotate(image, cv2.ROTATE_180) for image in images])


def seen_round(images: Pictures) -> Pictures:
    y, x = np.mgrid[:216, :384]
    inside = (y - 108) ** 2 + (x - 192) ** 2 < 100**2
    return [np.where(inside[..., None], image, 0).astype(np.uint8) for image in images]


ORDINARY: dict[str, Callable[[Pictures], Pictures]] = {
    "as it is": lambda images: images,
    "mirrored": mirrored,
    "in water": in_water,
    "with a bar": with_a_bar,
    "of two places": of_two_places,
    "twice as wide": lambda images: resized(images, 320, 160),
    "twice as wide, bars at the sides": lambda images: framed(resized(images, 256, 144), 0, 16),
    "twice as wide, black around": lambda images: framed(resized(images, 200, 100), 10, 20),
    "twice as wide, white around": lambda images: framed(resized(images, 200, 100), 10, 20, 255),
    "letterbox": lambda images: framed(images, 40, 0),
    "half of it": lambda images: [image[:, :192] for image in images],
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_pictures_are_taken_for_ordinary(name: str, both: tuple[Pictures, Pictures]) -> None:
    images = ORDINARY[name](both[0])
    assert find_pair(images) is None
    assert not find_sphere(images)
    assert not is_round(images)


def chessboard(period: int) -> np.ndarray:
    y, x = np.mgrid[:180, :320]
    return np.repeat((((x // period) + (y // period)) % 2 * 200).astype(np.uint8)[..., None], 3, axis=2)


def test_patterns_and_empty_pictures_are_no_pairs() -> None:
    for period in (4, 8, 10, 16, 20, 40):
        assert find_pair([chessboard(period)]) is None
        assert find_pair([np.ascontiguousarray(chessboard(period)[:1].repeat(180, axis=0))]) is None
    slope = np.linspace(0, 255, 320).astype(np.uint8)[None, :, None].repeat(180, axis=0).repeat(3, axis=2)
    assert find_pair([slope]) is None
    assert find_pair([np.random.default_rng(0).integers(0, 255, (180, 320, 3)).astype(np.uint8)]) is None
    assert find_pair([np.zeros((180, 320, 3), np.uint8)]) is None
    assert find_pair([np.zeros((8, 8, 3), np.uint8)]) is None


@pytest.mark.parametrize("seed", range(3))
def test_panoramas_are_found(seed: int) -> None:
    picture = panorama(640, seed=seed)
    assert find_sphere([picture, panorama(640, yaw=40, seed=seed)])
    # As cameras write them: plain sky, a patch over the tripod, and a codec in between.
    taken = picture.copy()
    taken[:90], taken[-50:] = (120, 160, 220), 0
    assert find_sphere([taken])
    packed = cv2.imencode(".jpg", taken, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    assert find_sphere([cv2.imdecode(packed, cv2.IMREAD_COLOR)])
    # A part of one has nothing that could tell.
    assert not find_sphere([cv2.resize(picture[60:260, 100:500], (640, 320))])


def on_sphere(image: np.ndarray, fov: float, ground: int) -> np.ndarray:
    """A flat picture laid on the inside of a sphere."""
    height, width = image.shape[:2]
    focal = width / 2 / math.tan(math.radians(fov) / 2)
    longitude = ((np.arange(512) + 0.5) / 512 - 0.5) * 2 * math.pi
    latitude = (0.5 - (np.arange(256)[:, None] + 0.5) / 256) * math.pi
    ahead = np.cos(latitude) * np.cos(longitude)
    x = np.where(ahead > 0, np.cos(latitude) * np.sin(longitude) / ahead, -99) * focal + width / 2 - 0.5
    y = np.where(ahead > 0, -np.sin(latitude) / ahead, -99) * focal + height / 2 - 0.5
    maps = x.astype(np.float32), y.astype(np.float32)
    return cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(ground,) * 3)


@pytest.mark.parametrize("ground", [0, 255])
@pytest.mark.parametrize("fov", [60, 75, 100])
def test_flat_pictures_on_a_sphere_are_found(fov: float, ground: int, both: tuple[Pictures, Pictures]) -> None:
    assert find_sphere([on_sphere(image, fov, ground) for image in both[0]])


def test_round_pictures_are_named(both: tuple[Pictures, Pictures]) -> None:
    images = seen_round(both[0])
    assert is_round(images)
    assert find_pair(images) is None
    assert not find_sphere(images)
    assert not is_round([np.zeros((144, 256, 3), np.uint8)])


@pytest.mark.parametrize("name", [*(f"{clip}/clip.mp4" for clip in CLIPS), *(f"{folder}/images" for folder in FOLDERS)])
def test_real_clips_are_taken_for_ordinary(name: str) -> None:
    notes: list[str] = []
    source = open_source(shared_file(f"clips/{name}"), ClipConfig())
    glimpse = source.glimpse(0.0, 30.0)
    assert len(glimpse.images) > 1
    assert any(not np.array_equal(a, b) for a, b in pairwise(glimpse.images))
    assert choose_cut(glimpse, ViewChoice(auto=True), notes) is None
    assert notes == []
