"""Which cameras have left the clip's path, and what is held back there."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.generate.refiners.internal.beside_path import BESIDE, ON, SHARE, beside_path, held_back

PATH = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])


@pytest.mark.parametrize(
    ("centre", "distance"),
    [
        # Between two cameras of the path, though not at one.
        ((0.0, 0.0, 0.4), 0.0),
        ((0.3, 0.0, 1.0), 0.0),
        ((0.0, 0.02, 0.5), 0.02),
        ((0.5, 0.0, 1.02), 0.02),
        # Beyond the end of it.
        ((1.03, 0.04, 1.0), 0.05),
    ],
)
def test_the_parallax_against_the_nearest_point_of_the_path_decides(
    centre: tuple[float, float, float], distance: float
) -> None:
    scale, focal = 2.0, 200.0
    expected = min(max((distance / scale * focal - ON) / (BESIDE - ON), 0.0), 1.0)
    assert beside_path(torch.tensor(centre), PATH, scale, focal) == pytest.approx(expected, abs=1e-5)


def test_a_single_camera_is_a_path() -> None:
    assert beside_path(torch.zeros(3), PATH[:1], 1.0, 100.0) == 0
    assert beside_path(torch.tensor([0.02, 0.0, 0.0]), PATH[:1], 1.0, 100.0) == pytest.approx(0.5)
    assert beside_path(torch.tensor([1.0, 0.0, 0.0]), PATH[:1], 1.0, 100.0) == 1


def test_only_covered_pixels_are_held_back_and_none_on_the_path() -> None:
    refined, drawn = torch.ones(1, 3, 1, 3), torch.zeros(1, 3, 1, 3)
    alpha = torch.tensor([0.5, 0.95, 1.0]).reshape(1, 1, 1, 3)
    assert held_back(refined, drawn, alpha, 0.0) is refined
    for beside in (0.5, 1.0):
        back = (1 - SHARE) * beside
        made = held_back(refined, drawn, alpha, beside)
        torch.testing.assert_close(made[0, 0, 0], torch.tensor([1.0, 1 - 0.5 * back, 1 - back]))
