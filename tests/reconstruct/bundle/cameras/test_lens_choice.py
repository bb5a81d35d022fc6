"""A lens is told from a plain one where it is there, and not where it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.reconstruct.bundle.cameras.bundle_adjustment import AdjustmentSettings, adjust
from neoverse_ns.reconstruct.bundle.cameras.lens_choice import choose_lens
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.state import State
from tests.reconstruct.bundle.scenes import W, empty_observations, random_state, with_seen

SETTINGS = AdjustmentSettings(iterations=15, kernel=(2.0, 0.4), smoothness=0.0, prior=(0.75, 0.4, 3e-4))
KERNEL = (3.0, 0.4)
FRAMES = 7


def problem(zoom: float = 1.0, radial: float = 0.0) -> tuple[Observations, State]:
    """A walk with turns, seen with noise of a tenth of a pixel through a lens that zooms in or bends."""
    observations = empty_observations(FRAMES, gaps=(1, 2, 4), stride=4)
    truth = random_state(FRAMES, observations.points.shape[0], 0.7, seed=3, turn=0.04)
    focal = 0.7 * zoom ** torch.linspace(0, 1, FRAMES, dtype=torch.float64)
    truth = replace(truth, focal=focal, radial=torch.tensor(radial, dtype=torch.float64))
    exact = with_seen(observations, truth)
    noise = torch.randn(exact.seen.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return replace(exact, seen=exact.seen + 0.1 / W * noise), truth


def choose(observations: Observations, truth: State, asked: str = "auto"):
    start = replace(truth, focal=torch.full_like(truth.focal, 0.75), radial=torch.zeros_like(truth.radial))
    return choose_lens(observations, adjust(observations, start, SETTINGS), SETTINGS, KERNEL, asked)


def test_a_plain_lens_stays_plain():
    choice = choose(*problem())
    assert choice.kind == "pinhole"
    assert choice.explained == 1.0


def test_a_zoom_is_found_with_its_course():
    observations, truth = problem(zoom=1.6)
    choice = choose(observations, truth)
    assert choice.kind == "zoom"
    torch.testing.assert_close(choice.state.focal, truth.focal, rtol=0.03, atol=0)


@pytest.mark.parametrize("radial", [0.35, 0.15])
def test_a_bend_is_found_with_its_coefficient(radial: float):
    observations, truth = problem(radial=radial)
    choice = choose(observations, truth, "auto" if radial > 0.2 else "radial")
    assert choice.kind == "radial"
    assert float(choice.state.radial) == pytest.approx(radial, abs=0.03)
    assert choice.state.mean_focal == pytest.approx(0.7, rel=0.02)


def test_a_lens_that_is_asked_for_is_taken():
    assert choose(*problem(), asked="radial").kind == "radial"
    assert choose(*problem(), asked="zoom").kind == "zoom"


def test_beside_a_given_field_of_view_only_a_bend_is_looked_for():
    observations, truth = problem(zoom=1.6)
    fixed = replace(SETTINGS, solve_focal=False)
    choice = choose_lens(observations, adjust(observations, truth, fixed), fixed, KERNEL)
    assert choice.kind != "zoom"
