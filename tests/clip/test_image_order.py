"""Names of images are sorted, and counted, as their numbers are meant."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest

from neoverse_ns.clip.image_order import in_order, running_numbers

ORDERED = [
    ["frame_1.png", "frame_1.5.png", "frame_2.png", "frame_10.png"],
    ["0.5.png", "0.75.png", "2.png", "10.2.png", "10.25.png", "10.3.png"],
    ["0.05.jpg", "0.5.jpg", "0.75.jpg"],
    ["v1.2_003.png", "v1.2_004.png", "v1.10_001.png"],
    ["shot1.8.png", "shot1.9.png", "shot1.10.png", "shot1.11.png"],
    ["part 1.1.png", "part 1.2.png", "part 1.10.png", "part 2.1.png", "part 2.2.png"],
    ["plate.0009.png", "plate.0010.png", "plate.0100.png"],
    ["2024.01.09.png", "2024.01.10.png", "2024.02.01.png"],
    ["a1.png", "a2.jpg", "A9.PNG", "a10.webp", "a010b.bmp", "a100.tif", "b3.jpeg"],
    ["1341846313.592026.png", "1341846313.654184.png", "1341846314.060015.png"],
    ["a.jpg", "a.png", "b.jpg"],
    ["IMG_9.jpg", "IMG_10.JPG", "img_11.jpg"],
]


@pytest.mark.parametrize("names", ORDERED, ids=lambda names: names[0])
def test_order(names: list[str]):
    for seed in range(5):
        shuffled = random.Random(seed).sample(names, len(names))
        assert [path.name for path in in_order([Path(name) for name in shuffled])] == names


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["f_0.png", "f_1.png", "f_60.png"], [0, 1, 60]),
        (["f_1.png", "f_1.5.png", "f_2.png"], [1, Fraction(3, 2), 2]),
        (["7_left.png", "9_left.jpg"], [7, 9]),
        (["v1.2_003.png", "v1.2_005.png"], [3, 5]),
        (["shot1.9.png", "shot1.10.png"], [9, 10]),
        (["a1.png", "b2.png"], None),
        (["a01.png", "a1.png"], None),
        (["a.png", "b.png"], None),
        (["a1.png", "a.png"], None),
    ],
)
def test_running_numbers(names: list[str], numbers: list[Fraction] | None):
    assert running_numbers([Path(name) for name in names]) == numbers
