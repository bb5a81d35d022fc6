"""Where the focal length is expected before anything is seen: by the clip's own hint, else by the settings."""

from __future__ import annotations

import dataclasses

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct.bundle.config import BundleConfig, field_of_view

EXACT = 0.005
"""Relative uncertainty up to which a hint is no expectation but knowledge, as of views that were cut by calculation."""


def with_hint(config: BundleConfig, clip: Clip) -> BundleConfig:
    """The settings with what the clip's hint says: a known field of view if it is exact, else a narrower prior.

    A field of view that is set already stays.
    """
    hint = clip.focal_hint
    if hint is None or config.fov_degrees is not None:
        return config
    if hint.uncertainty <= EXACT:
        return dataclasses.replace(config, fov_degrees=field_of_view(hint.focal))
    centre = hint.focal * clip.width / max(clip.width, clip.height)
    spread = min(hint.uncertainty, config.focal_prior_spread)
    return dataclasses.replace(config, focal_prior=centre, focal_prior_spread=spread)


def over_width(config: BundleConfig, clip: Clip) -> BundleConfig:
    """The settings with focal lengths over the clip's width in place of its longer side, in which they are given.

    A phone held upright has the same lens as one held across.
    """
    longer = max(clip.width, clip.height) / clip.width
    guesses = tuple(guess * longer for guess in config.focal_guesses)
    return dataclasses.replace(config, focal_prior=config.focal_prior * longer, focal_guesses=guesses)
