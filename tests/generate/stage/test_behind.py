"""Depth of what opens beside a surface: the farther side of the narrowest gap, in whatever direction that lies."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from neoverse_ns.generate.stage.behind import ONE_SIDED, STEP_COST, _across_the_narrowest, depth_behind

SIDE = 80
NEAR, FAR = 2.0, 5.0


def grid() -> tuple[Tensor, Tensor]:
    """Row and column of every pixel, from the middle."""
    steps = torch.arange(SIDE, dtype=torch.float32) - (SIDE - 1) / 2
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    return rows, columns


def reference(depth: Tensor) -> Tensor:
    """The same pixel by pixel: each of four lines walked both ways."""
    height, width = depth.shape
    result = depth.clone()
    for row in range(height):
        for column in range(width):
            if depth[row, column] > 0:
                continue
            best = (math.inf, 0.0)
            for down, right in ((0, 1), (1, 0), (-1, 1), (1, 1)):
                step = STEP_COST * math.hypot(down, right) if down else 1.0
                sides = []
                for sign in (-1, 1):
                    y, x, count = row + sign * down, column + sign * right, 1
                    while 0 <= y < height and 0 <= x < width and depth[y, x] == 0:
                        y, x, count = y + sign * down, x + sign * right, count + 1
                    if 0 <= y < height and 0 <= x < width:
                        sides.append((count, float(depth[y, x])))
                if sides:
                    gap = sum(count for count, _ in sides) if len(sides) == 2 else ONE_SIDED * sides[0][0]
                    best = min(best, (step * gap, max(value for _, value in sides)), key=lambda found: found[0])
            result[row, column] = best[1]
    return result


@pytest.mark.parametrize(("height", "width"), [(11, 17), (17, 11), (1, 9), (9, 1), (2, 2)])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.7])
def test_every_line_is_walked_both_ways(height: int, width: int, share: float) -> None:
    generator = torch.Generator().manual_seed(height)
    depth = 1 + 9 * torch.rand(height, width, generator=generator)
    depth[torch.rand(height, width, generator=generator) > share] = 0
    found = torch.where(depth > 0, depth, _across_the_narrowest(depth))
    torch.testing.assert_close(found, reference(depth))


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 90, 110, 135, 160, 180, 225, 270, 315])
def test_a_band_along_an_edge_takes_the_farther_side_however_the_edge_lies(degrees: int) -> None:
    rows, columns = grid()
    angle = math.radians(degrees)
    across = math.cos(angle) * columns + math.sin(angle) * rows
    depth = torch.where(across < 0, NEAR, FAR)
    known = (across < 0) | (across > 6)
    # What lies far behind the near surface, in reach of lines along the band, must not be taken for what is beside it.
    depth[:, :2] = torch.where(across[:, :2] < 0, NEAR, 50.0)
    filled = depth_behind(depth, known)
    assert torch.equal(filled[known], depth[known])
    # Lines that leave the picture inside the band know one of its sides alone.
    inner = ~known & (torch.maximum(rows.abs(), columns.abs()) < SIDE / 2 - 24)
    assert inner.any()
    torch.testing.assert_close(filled[inner], torch.full_like(filled[inner], FAR))


def test_a_slit_beside_something_tall_does_not_see_the_sky_at_its_end() -> None:
    depth = torch.full((SIDE, SIDE), FAR)
    depth[:8] = 1000.0
    depth[8:, 20:30] = NEAR
    known = torch.ones(SIDE, SIDE, dtype=torch.bool)
    known[8:, 16:20] = False
    filled = depth_behind(depth, known)
    torch.testing.assert_close(filled[~known], torch.full_like(filled[~known], FAR))


@pytest.mark.parametrize("turned", [False, True])
def test_open_rows_and_columns_take_what_is_nearest(turned: bool) -> None:
    depth = torch.full((SIDE, SIDE), NEAR)
    depth[:20] = FAR
    known = torch.ones(SIDE, SIDE, dtype=torch.bool)
    known[:6] = False
    known[73:] = False
    expected = torch.full((SIDE, SIDE), NEAR)
    expected[:20] = FAR
    if turned:
        depth, known, expected = depth.mT, known.mT, expected.mT
    torch.testing.assert_close(depth_behind(depth, known), expected)


def test_what_lies_beside_a_slope_goes_on_along_the_row() -> None:
    """A margin that opens beside the ground: every row of it is as far away as the ground in that row."""
    rows, _ = grid()
    ground = 100 / (rows + 70)
    known = torch.ones(SIDE, SIDE, dtype=torch.bool)
    known[:, :9] = False
    error = (depth_behind(ground, known) / ground).log().abs()
    # But for smoothing, which the border makes lopsided.
    assert float(error[6:-6].max()) < 0.01
    assert float(error.max()) < 0.1


def test_little_or_nothing_known() -> None:
    depth = torch.full((6, 8), 3.0)
    known = torch.zeros(6, 8, dtype=torch.bool)
    assert torch.equal(depth_behind(depth, known), torch.zeros(6, 8))
    # One pixel is enough, even where no line leads to it.
    known[4, 1] = True
    torch.testing.assert_close(depth_behind(depth, known), depth)
    depth[4, 1] = 0
    assert torch.equal(depth_behind(depth, known), torch.zeros(6, 8))
    doubled = depth_behind(depth.double(), torch.ones_like(known))
    assert doubled.dtype == torch.float64
    torch.testing.assert_close(doubled, torch.full((6, 8), 3.0, dtype=torch.float64))
