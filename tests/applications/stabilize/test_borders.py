"""The largest part of a picture that shows nothing unseen, against trying all of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.applications.stabilize.borders import Part, at_edge, largest_part
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project

HEIGHT, WIDTH = 20, 30


def pixels_of(part: Part) -> tuple[slice, slice]:
    """Rows and columns that a part touches."""
    left, top = part.left * WIDTH, part.top * HEIGHT
    side = part.side
    rows = slice(int(np.floor(top + 1e-6)), int(np.ceil(top + side * HEIGHT - 1e-6)))
    return rows, slice(int(np.floor(left + 1e-6)), int(np.ceil(left + side * WIDTH - 1e-6)))


def largest_side(unseen: np.ndarray) -> int:
    """Width of the largest free part, by looking at every one."""
    for width in range(WIDTH, 0, -1):
        height = int(np.ceil(width * HEIGHT / WIDTH))
        for top in range(HEIGHT - height + 1):
            for left in range(WIDTH - width + 1):
                if not unseen[top : top + height, left : left + width].any():
                    return width
    return 0


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_largest_one(seed: int) -> None:
    unseen = np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.02 * (seed + 1)
    part = largest_part(torch.from_numpy(unseen), 0.99)
    assert round(part.side * WIDTH) == largest_side(unseen)
    assert not unseen[pixels_of(part)].any()
    assert part.clean


def test_a_whole_picture_stays_whole_and_a_strip_costs_no_more_than_it_must() -> None:
    unseen = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    assert largest_part(unseen, 0.2) == Part()
    unseen[:, :3] = True
    part = largest_part(unseen, 0.2)
    assert part.cut == pytest.approx(0.1)
    assert part.left == pytest.approx(0.1)
    # What need not be decided by the strip lies in the middle.
    assert part.top == pytest.approx(0.05, abs=0.5 / HEIGHT)


def test_no_more_is_cut_than_allowed_and_then_where_least_is_unseen() -> None:
    unseen = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    unseen[:, 20:] = True
    unseen[0, 0] = True
    part = largest_part(unseen, 0.2)
    assert part.cut == pytest.approx(0.2)
    assert part.left == 0
    assert part.top > 0
    assert not part.clean


def test_only_what_reaches_the_edge_is_border() -> None:
    unseen = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    unseen[5:8, 10:13] = True
    unseen[0, 3], unseen[1, 4], unseen[2, 6] = True, True, True
    expected = torch.zeros_like(unseen)
    expected[0, 3], expected[1, 4] = True, True
    assert torch.equal(at_edge(unseen), expected)


def test_cameras_of_a_part_show_it_at_the_full_size() -> None:
    K = torch.tensor([[[25.0, 0.0, 14.0], [0.0, 26.0, 9.0], [0.0, 0.0, 1.0]]])
    whole = PinholeCameras(torch.eye(4)[None], K, WIDTH, HEIGHT)
    part = Part(left=0.1, top=0.2, side=0.75)
    points = torch.randn(1, 50, 3, generator=torch.Generator().manual_seed(0)) + torch.tensor([0.0, 0.0, 5.0])
    before, _ = project(points, whole.viewmats, whole.K)
    after, _ = project(points, whole.viewmats, part.of(whole).K)
    expected = (before - torch.tensor([0.1 * WIDTH, 0.2 * HEIGHT])) / 0.75
    torch.testing.assert_close(after, expected)
    assert (part.of(whole).width, part.of(whole).height) == (WIDTH, HEIGHT)
