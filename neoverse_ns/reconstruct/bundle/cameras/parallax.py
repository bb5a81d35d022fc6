"""Cameras and focal length of a clip with parallax: several starts, coarse to fine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch

from neoverse_ns.console import progress
from neoverse_ns.reconstruct.bundle.cameras.bundle_adjustment import Adjustment, AdjustmentSettings, adjust
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations, observe
from neoverse_ns.reconstruct.bundle.cameras.rotation import rotation_start
from neoverse_ns.reconstruct.bundle.cameras.two_view import two_view_start
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores, single_threaded_cores


def solve_cameras(field: FlowField, frames: int, config: BundleConfig) -> tuple[Adjustment, Observations]:
    """Estimate all cameras and the focal length.

    Every start has its own coarse solve, since each can end in a wrong minimum: chained essential matrices where the
    focal length is guessed wrong or the translation hardly shows, rotations alone where steps are wide. The one with
    the lowest robust cost is refined on the fine grid.

    Returns:
        The refined solution and the observations it refers to.
    """
    coarse = observe(field, frames, config.coarse_stride)
    starts = _starts(coarse, config)
    best: Adjustment | None = None
    with progress("Solving cameras", len(starts) + 1) as steps:
        for result in map_on_cores(lambda start: _coarse_solve(coarse, start(), config), starts):
            if best is None or result.cost < best.cost:
                best = result
            steps.advance(note=f"f/width {best.state.mean_focal:.2f}")
        assert best is not None
        fine = observe(field, frames, config.fine_stride)
        start = replace(best.state, inverse_depth=_resampled(best.state.inverse_depth, coarse, fine))
        kernel = (config.kernel_narrow, config.kernel_narrow)
        settings = _settings(config, config.fine_iterations, kernel, smoothness=0.0)
        with single_threaded_cores() as cores:
            result = adjust(fine, start, settings, cores)
        steps.advance(note=f"f/width {result.state.mean_focal:.2f}")
    return result, fine


def _starts(coarse: Observations, config: BundleConfig) -> list[Callable[[], State]]:
    """Chained essential matrices for every focal guess, and cameras that turn in one place amid points of one depth."""

    def turning() -> State:
        state = rotation_start(coarse, config.known_focal or config.focal_prior)
        return replace(state, inverse_depth=torch.ones_like(state.inverse_depth))

    guesses = (config.known_focal,) if config.known_focal else config.focal_guesses
    return [*(partial(two_view_start, coarse, guess, config.seed) for guess in guesses), turning]


def _coarse_solve(coarse: Observations, start: State, config: BundleConfig) -> Adjustment:
    kernel = (config.kernel_wide, config.kernel_narrow)
    return adjust(coarse, start, _settings(config, config.coarse_iterations, kernel, config.smoothness))


def _settings(
    config: BundleConfig, iterations: int, kernel: tuple[float, float], smoothness: float
) -> AdjustmentSettings:
    return AdjustmentSettings(
        iterations=iterations,
        kernel=kernel,
        smoothness=smoothness,
        prior=(config.focal_prior, config.focal_prior_spread, config.focal_prior_weight),
        solve_focal=config.known_focal is None,
    )


def _resampled(inverse_depth: torch.Tensor, coarse: Observations, fine: Observations) -> torch.Tensor:
    maps = inverse_depth.view(-1, 1, *coarse.grid)
    return torch.nn.functional.interpolate(maps, fine.grid, mode="bilinear").flatten(1)
