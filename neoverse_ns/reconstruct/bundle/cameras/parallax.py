"""Cameras and lens of a clip with parallax: several starts, coarse to fine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.geometry.alignment import align_sim3
from neoverse_ns.reconstruct.bundle.cameras.bundle_adjustment import Adjustment, AdjustmentSettings, adjust
from neoverse_ns.reconstruct.bundle.cameras.focal_interval import FocalInterval, focal_interval
from neoverse_ns.reconstruct.bundle.cameras.lens_choice import LensChoice, choose_lens
from neoverse_ns.reconstruct.bundle.cameras.matched_poses import MatchedPoses
from neoverse_ns.reconstruct.bundle.cameras.normal_equations import ONE_FOCAL
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations, thinned
from neoverse_ns.reconstruct.bundle.cameras.rotation import angle_degrees
from neoverse_ns.reconstruct.bundle.cameras.starts import Start, matched_starts, usual_starts
from neoverse_ns.reconstruct.bundle.cameras.state import LensUnknowns, State
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores, single_threaded_cores

TURNS_FAST = 2.5
"""Degrees from a frame to the next from which feature matches give one more start."""
POLISH = 8
"""Levenberg-Marquardt steps of the coarse solve that follow without smoothness."""
ELSEWHERE = 0.98
"""Share of the cost at which another focal length is taken for a better minimum."""
AS_GOOD = 1.05
"""Starts that end within this ratio of the least cost explain the clip as well."""


@dataclass(frozen=True)
class CameraSolution:
    """Cameras of a clip and how sure they are.

    Attributes:
        adjustment: The refined solution.
        lens: What was chosen for a lens.
        interval: Focal lengths that would explain the clip about as well; None where it is given.
        disagreement: The largest distance of the path of another start that ends nearly as well, as a share of the
            path.
    """

    adjustment: Adjustment
    lens: LensChoice
    interval: FocalInterval | None
    disagreement: float


def solve_cameras(
    coarse: Observations, fine: Observations, config: BundleConfig, matches: Callable[[], MatchedPoses] | None = None
) -> CameraSolution:
    """Estimate all cameras and the lens.

    Every start has its own coarse solve, since each can end in a wrong minimum; where the camera turns fast, feature
    matches give further ones. The one with the lowest robust cost is continued without smoothness, which draws the
    focal length away; other focal lengths and lenses are tried from there, and the best is refined on the fine grid.

    Args:
        coarse: Flow on the grid on which starts are compared.
        fine: On that of the final solve.
        config: Settings.
        matches: Finds feature matches of near frames, if that is asked for.
    """
    starts = usual_starts(coarse, config)
    with progress("Solving cameras", len(starts) + 3) as steps:
        ends = _solved(coarse, starts, config)
        steps.advance(len(starts))
        if matches is not None and largest_turn(min(ends, key=lambda end: end.cost).state) > TURNS_FAST:
            ends += _solved(coarse, matched_starts(coarse, config, matches().pose), config)
        steps.advance()
        thin, keep = thinned(coarse)
        best, lens, interval = _with_lens(coarse, thin, keep, min(ends, key=lambda end: end.cost), config)
        steps.advance(note=f"f/width {best.mean_focal:.2f}")
        settings = _settings(config, config.fine_iterations, _narrow(config), lens=lens.unknowns)
        start = replace(best, inverse_depth=_resampled(best.inverse_depth, coarse, fine))
        with single_threaded_cores() as cores:
            result = adjust(fine, start, settings, cores)
        steps.advance(note=f"f/width {result.state.mean_focal:.2f}")
    return CameraSolution(result, lens, interval, _disagreement(ends))


def _solved(coarse: Observations, starts: list[Start], config: BundleConfig) -> list[Adjustment]:
    settings = _settings(config, config.coarse_iterations, (config.kernel_wide, config.kernel_narrow))
    smooth = replace(settings, smoothness=config.smoothness)
    return list(map_on_cores(lambda start: adjust(coarse, start(), smooth), starts))


def _with_lens(
    coarse: Observations, thin: Observations, keep: Tensor, best: Adjustment, config: BundleConfig
) -> tuple[State, LensChoice, FocalInterval | None]:
    """The best coarse solution with its lens, and the interval of its focal length.

    Lenses and other focal lengths are tried on a thinned grid, which tells them apart as well.
    """
    settings = _settings(config, POLISH, _narrow(config))
    state = adjust(coarse, best.state, settings).state
    pinhole = adjust(thin, _thin(state, keep), settings)
    lens = LensChoice("pinhole", pinhole.state, ONE_FOCAL, 1.0)
    if config.lens != "pinhole":
        lens = choose_lens(thin, pinhole, settings, (0.5 * config.kernel_wide, config.kernel_narrow), config.lens)
    interval = None
    if config.known_focal is None:
        interval = focal_interval(thin, lens.state, replace(settings, lens=lens.unknowns))
        interval = interval.with_focal(None if lens.rival is None else lens.rival.state.mean_focal)
    chosen = lens.state
    if interval is not None and interval.cost < ELSEWHERE * lens.explained * pinhole.cost:
        chosen = interval.best
    if chosen is not pinhole.state:
        # Another place of the landscape was found: the coarse grid is solved again from there.
        start = replace(chosen, inverse_depth=_spread(chosen.inverse_depth, thin, coarse))
        state = adjust(coarse, start, replace(settings, lens=lens.unknowns)).state
    return state, lens, interval


def _settings(
    config: BundleConfig, iterations: int, kernel: tuple[float, float], lens: LensUnknowns = ONE_FOCAL
) -> AdjustmentSettings:
    return AdjustmentSettings(
        iterations=iterations,
        kernel=kernel,
        smoothness=0.0,
        prior=(config.focal_prior, config.focal_prior_spread, config.focal_prior_weight),
        solve_focal=config.known_focal is None,
        lens=lens,
    )


def _narrow(config: BundleConfig) -> tuple[float, float]:
    return config.kernel_narrow, config.kernel_narrow


def _thin(state: State, keep: Tensor) -> State:
    return replace(state, inverse_depth=state.inverse_depth[:, keep])


def _spread(inverse_depth: Float[Tensor, "n q"], thin: Observations, coarse: Observations) -> Float[Tensor, "n p"]:
    return inverse_depth if thin is coarse else _resampled(inverse_depth, thin, coarse)


def _resampled(inverse_depth: torch.Tensor, coarse: Observations, fine: Observations) -> torch.Tensor:
    maps = inverse_depth.view(-1, 1, *coarse.grid)
    return torch.nn.functional.interpolate(maps, fine.grid, mode="bilinear").flatten(1)


def largest_turn(state: State) -> float:
    """The largest angle in degrees between neighbouring cameras."""
    R = state.poses[:, :3, :3]
    return float(angle_degrees(R[1:] @ R[:-1].mT).max()) if len(R) > 1 else 0.0


def _disagreement(ends: list[Adjustment]) -> float:
    """How far the paths of ends that cost nearly as little lie from that of the best, as a share of its length."""
    best = min(ends, key=lambda end: end.cost)
    path = _centres(best.state)
    length = float((path[1:] - path[:-1]).norm(dim=1).sum())
    if length <= 1e-9:
        return 0.0
    others = [_centres(end.state) for end in ends if end.cost <= AS_GOOD * best.cost]
    off = [align_sim3(other, path).apply_points(other) - path for other in others]
    return max(float(one.square().sum(1).mean().sqrt()) for one in off) / length


def _centres(state: State) -> Float[Tensor, "n 3"]:
    return torch.linalg.inv(state.poses)[:, :3, 3]
