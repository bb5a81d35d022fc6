"""From where the solve of the cameras starts: each start can end in a wrong minimum of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch

from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.rotation import rotation_start
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.cameras.two_view import RelativePose, two_view_start
from neoverse_ns.reconstruct.bundle.config import BundleConfig

Start = Callable[[], State]


def usual_starts(coarse: Observations, config: BundleConfig) -> list[Start]:
    """Chained essential matrices for every focal guess, and cameras that turn in one place amid points of one depth.

    The former fail where the focal length is guessed wrong or the translation hardly shows, the latter where the path
    is long.
    """

    def turning() -> State:
        state = rotation_start(coarse, config.known_focal or config.focal_prior)
        return replace(state, inverse_depth=torch.ones_like(state.inverse_depth))

    return [*(partial(two_view_start, coarse, guess, config.seed) for guess in _guesses(config)), turning]


def matched_starts(coarse: Observations, config: BundleConfig, poses: RelativePose) -> list[Start]:
    """The same chains from another source of relative poses, such as feature matches."""
    return [partial(two_view_start, coarse, guess, config.seed, poses) for guess in _guesses(config)]


def _guesses(config: BundleConfig) -> tuple[float, ...]:
    return (config.known_focal,) if config.known_focal else config.focal_guesses
