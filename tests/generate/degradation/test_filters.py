"""The box filter and the colour distance, against the released model's numbers and definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.generate.degradation.average_filter import average_covered, average_filter
from neoverse_ns.generate.degradation.colour import BLACK_TO_WHITE, colour_distance
from tests.fixtures.published import FOLDERS, read_arrays


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("kernel", [5, 11, 14])
def test_the_box_filter_is_that_of_the_released_model(kernel: int, folder: Path) -> None:
    wanted = read_arrays(folder, "conditions")
    smooth = average_filter(torch.from_numpy(wanted["depth"].whole), kernel)
    assert wanted[f"average_filter.{kernel}"].deviation(smooth.numpy()) < 1e-5


def test_even_boxes_are_made_odd_and_borders_continued() -> None:
    depth = torch.rand(2, 9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(average_filter(depth, 4), average_filter(depth, 5))
    padded = np.pad(depth.numpy(), ((0, 0), (2, 2), (2, 2)), mode="edge")
    for y, x in ((0, 0), (4, 3), (8, 6), (0, 5)):
        wanted = padded[:, y : y + 5, x : x + 5].mean(axis=(1, 2))
        torch.testing.assert_close(average_filter(depth, 5)[:, y, x], torch.from_numpy(wanted))
    # Wider than the picture itself: border values only.
    assert average_filter(depth, 101).isfinite().all()


def test_holes_do_not_count() -> None:
    depth = torch.rand(12, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 1
    everything = torch.ones(12, 16, dtype=torch.bool)
    torch.testing.assert_close(average_covered(depth, everything, 5), average_filter(depth, 5))
    covered = torch.rand(12, 16, generator=torch.Generator().manual_seed(1)) > 0.4
    averaged = average_covered(torch.where(covered, depth, 1e6), covered, 5)
    window, seen = depth[3:8, 6:11], covered[3:8, 6:11]
    torch.testing.assert_close(averaged[5, 8], window[seen].mean())
    assert not average_covered(depth, ~everything, 5).any()


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_colour_distance_is_that_of_the_released_model(folder: Path) -> None:
    wanted = {key: array.whole for key, array in read_arrays(folder, "conditions").items() if array.stride == 1}
    distance = colour_distance(torch.from_numpy(wanted["c1"]), torch.from_numpy(wanted["c2"]))
    torch.testing.assert_close(distance, torch.from_numpy(wanted["color_distance"]), atol=1e-4, rtol=1e-5)


def test_colour_distances_of_known_colours() -> None:
    black, white = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    assert float(colour_distance(black, white)) == pytest.approx(BLACK_TO_WHITE)
    green = torch.tensor([0.0, 10 / 255, 0.0], dtype=torch.float64)
    assert float(colour_distance(black, green)) == pytest.approx(20.0)
    a, b = torch.rand(2, 100, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(colour_distance(a, b), colour_distance(b, a))
    assert not colour_distance(a, a).any()
