"""Noise levels against the reference's, and Euler steps against a flow whose solution is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.generate.refiners.wan.schedule import sampling_scheduler, training_noise
from tests.fixtures.published import FOLDERS, read_arrays


@pytest.fixture(scope="module", params=FOLDERS)
def expected(request):
    return {key: array.whole for key, array in read_arrays(request.param, "scheduler").items()}


@pytest.mark.parametrize("steps", [4, 50])
def test_sampling_levels(expected, steps):
    scheduler = sampling_scheduler(steps)
    np.testing.assert_allclose(scheduler.sigmas[:-1], expected[f"sigmas.{steps}"], rtol=1e-6)
    np.testing.assert_allclose(scheduler.timesteps, expected[f"timesteps.{steps}"], rtol=1e-6)
    assert scheduler.sigmas[-1] == 0


def test_training_levels_and_weights(expected):
    noise = training_noise()
    np.testing.assert_allclose(noise.timesteps, expected["training.timesteps"], rtol=1e-6)
    np.testing.assert_allclose(noise.weights, expected["training.weights"], rtol=1e-6, atol=1e-6)


def test_true_velocity_leads_from_noise_to_the_sample():
    sample, noise = torch.randn(2, 1, 4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    scheduler, state = sampling_scheduler(4), noise
    for timestep in scheduler.timesteps:
        state = scheduler.step(noise - sample, timestep, state, return_dict=False)[0]
    torch.testing.assert_close(state, sample, atol=1e-6, rtol=1e-6)
