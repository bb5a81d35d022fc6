"""Dense bundle adjustment: cameras, lens and inverse depths that explain optical flow best.

Levenberg-Marquardt with a Cauchy kernel that narrows from several pixels to one. The recipe follows DROID-SLAM's dense
bundle adjustment (Teed and Deng, NeurIPS 2021, section 3.2) with measured instead of learned flow.
"""

from __future__ import annotations

import math
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.cameras.normal_equations import (
    ONE_FOCAL,
    NormalEquations,
    Residuals,
    normal_equations,
    residuals,
)
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.state import LensUnknowns, State

FARTHEST, CLOSEST = 1e-3, 50.0
"""Bounds of inverse depth, relative to the median depth."""
RADIAL_BOUNDS = (-0.3, 1.0)
"""Of the radial coefficient."""
ZOOM_SMOOTHNESS = 100.0
"""Weight of the second differences of a zoom's logarithmic focal lengths, relative to that of the prior."""


@dataclass(frozen=True)
class AdjustmentSettings:
    """How one adjustment runs.

    Attributes:
        iterations: Levenberg-Marquardt steps.
        kernel: Width of the robust kernel in pixels at the first and the last step.
        smoothness: Pull of inverse depths towards their neighbours, relative to the mean pull of the flow.
        prior: Mean of the focal length over width, standard deviation of its logarithm, weight (see `BundleConfig`).
        solve_focal: Whether the lens may change.
        lens: Which of its parameters are solved for, if so.
        solve_translation: Whether cameras may move; if not, depths stay as they are.
    """

    iterations: int
    kernel: tuple[float, float]
    smoothness: float
    prior: tuple[float, float, float]
    solve_focal: bool = True
    lens: LensUnknowns = ONE_FOCAL
    solve_translation: bool = True


@dataclass(frozen=True)
class Adjustment:
    """Outcome of an adjustment.

    Attributes:
        state: Solution; the median inverse depth is 1 and the first pose is unchanged.
        error: Length of the reprojection error, pixels.
        cost: Robust cost with the final kernel plus the prior, per unit of confidence, px^2.
    """

    state: State
    error: Float[Tensor, "e p"]
    cost: float


def adjust(
    observations: Observations, state: State, settings: AdjustmentSettings, cores: Executor | None = None
) -> Adjustment:
    """Refine `state`; every accepted step lowers the robust cost, so the outcome is never worse than the start.

    Args:
        observations: What is to be explained.
        state: Start.
        settings: See `AdjustmentSettings`.
        cores: Where parts of the work may run side by side; by default all runs in the calling thread.
    """
    free = _free_unknowns(observations.frames, settings)
    damping = 1e-3
    at = residuals(observations, state)
    for iteration in range(settings.iterations):
        sigma = _kernel_width(iteration, settings) / observations.width
        squared = at.error.square().sum(1)
        weights = observations.weights / (1 + squared / sigma**2) * at.front
        system = normal_equations(observations, state, at, weights, cores, settings.lens)
        pull, blurred = _smoothing(observations, state, settings, system.curvature)
        _add_prior(system, observations, state, settings)
        system = replace(
            system,
            curvature=system.curvature + pull + 1e-12,
            depth_gradient=system.depth_gradient + pull * (state.inverse_depth - blurred),
        )
        before = _cost(observations, state, at, sigma, settings, pull, blurred)
        for _ in range(6):
            trial = _step(state, *system.solve(damping, free), settings)
            trial_at = residuals(observations, trial)
            if _cost(observations, trial, trial_at, sigma, settings, pull, blurred) < before:
                state, at, damping = trial, trial_at, max(damping * 0.3, 1e-7)
                break
            damping = min(damping * 10, 1e4)
        if settings.solve_translation:
            state = _normalised(state)
            at = residuals(observations, state)
    sigma = settings.kernel[1] / observations.width
    none = torch.zeros(())
    cost = _cost(observations, state, at, sigma, settings, none, state.inverse_depth)
    total = observations.weights.sum().clamp_min(1e-12) / observations.width**2
    return Adjustment(state, at.error.norm(dim=1) * observations.width, float(cost / total))


def _free_unknowns(frames: int, settings: AdjustmentSettings) -> Bool[Tensor, " s"]:
    """The first camera is the world and never moves."""
    free = torch.ones(6 * frames + settings.lens.count(frames), dtype=torch.bool)
    free[:6] = False
    free[6 * frames :] = settings.solve_focal
    if not settings.solve_translation:
        free[: 6 * frames].view(frames, 6)[:, :3] = False
    return free


def _kernel_width(iteration: int, settings: AdjustmentSettings) -> float:
    """Wide for two steps, then narrowing over half of the steps, then narrow."""
    blend = min(1.0, max(0.0, (iteration - 2) / (settings.iterations * 0.5)))
    return settings.kernel[0] * (1 - blend) + settings.kernel[1] * blend


def _prior_weight(observations: Observations, settings: AdjustmentSettings) -> Tensor:
    _, spread, weight = settings.prior
    return weight * observations.weights.sum() / observations.width**2 / spread**2


def _add_prior(system: NormalEquations, observations: Observations, state: State, settings: AdjustmentSettings) -> None:
    """Pull the focal lengths' mean to the prior's, and those of a zoom to a smooth course."""
    weight, n = _prior_weight(observations, settings), observations.frames
    focals = n if settings.lens.zoom else 1
    place = slice(6 * n, 6 * n + focals)
    logs = state.focal.log()[:focals] - math.log(settings.prior[0])
    system.hessian[place, place] += weight / focals**2
    system.gradient[place] += weight * logs.mean() / focals
    if settings.lens.zoom:
        bend = _bends(n, logs.dtype)
        strength = weight * ZOOM_SMOOTHNESS
        system.hessian[place, place] += strength * bend.T @ bend
        system.gradient[place] += strength * bend.T @ (bend @ logs)


def _bends(frames: int, dtype: torch.dtype) -> Float[Tensor, "b n"]:
    """Second differences of a course over the frames."""
    rows = torch.eye(frames, dtype=dtype)
    return rows[:-2] - 2 * rows[1:-1] + rows[2:]


def _smoothing(
    observations: Observations, state: State, settings: AdjustmentSettings, curvature: Tensor
) -> tuple[Tensor, Tensor]:
    """Strength of the pull to the neighbours, and the blurred inverse depths it pulls to during one step."""
    rows, columns = observations.grid
    maps = state.inverse_depth.view(-1, 1, rows, columns)
    kernel = torch.tensor([0.25, 0.5, 0.25], dtype=maps.dtype)
    padded = torch.nn.functional.pad(maps, (1, 1, 1, 1), mode="replicate")
    blurred = torch.nn.functional.conv2d(padded, torch.outer(kernel, kernel)[None, None])
    return settings.smoothness * curvature.mean(), blurred.view(state.inverse_depth.shape)


def _cost(
    observations: Observations,
    state: State,
    at: Residuals,
    sigma: float,
    settings: AdjustmentSettings,
    pull: Tensor,
    blurred: Tensor,
) -> Tensor:
    """Cauchy cost of the flow, where points behind a camera cost as much as a miss by eight kernel widths."""
    squared = torch.where(at.front > 0, at.error.square().sum(1), 64 * sigma**2)
    flow = sigma**2 * (observations.weights * torch.log1p(squared / sigma**2)).sum()
    weight, logs = _prior_weight(observations, settings), state.focal.log() - math.log(settings.prior[0])
    prior = weight * logs.mean() ** 2
    if settings.lens.zoom:
        prior = prior + weight * ZOOM_SMOOTHNESS * (_bends(len(logs), logs.dtype) @ logs).square().sum()
    smooth = pull * (state.inverse_depth - blurred).square().sum()
    return flow + prior + smooth


def _step(state: State, step: Tensor, depth_step: Tensor, settings: AdjustmentSettings) -> State:
    frames = len(state.poses)
    poses = se3_exp(step[: 6 * frames].view(-1, 6)) @ state.poses
    depth = state.inverse_depth
    if settings.solve_translation:
        depth = (depth + depth_step).clamp(FARTHEST, CLOSEST)
    lens = step[6 * frames :]
    focals = lens[:frames] if settings.lens.zoom else lens[:1]
    focal = (state.focal * torch.exp(focals.clamp(-0.3, 0.3))).clamp(0.15, 12.0)
    radial = state.radial + lens[-1].clamp(-0.1, 0.1) if settings.lens.radial else state.radial
    return State(poses, depth, focal, radial.clamp(*RADIAL_BOUNDS))


def _normalised(state: State) -> State:
    """The same scene with a median inverse depth of 1."""
    unit = state.inverse_depth.median()
    poses = state.poses.clone()
    poses[:, :3, 3] *= unit
    return replace(state, poses=poses, inverse_depth=state.inverse_depth / unit)
