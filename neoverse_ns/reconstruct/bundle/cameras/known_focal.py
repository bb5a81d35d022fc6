"""What bundle adjustment makes of what the user knows besides poses: the focal length."""

from __future__ import annotations

import dataclasses

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import say
from neoverse_ns.reconstruct.bundle.config import BundleConfig, field_of_view
from neoverse_ns.reconstruct.priors.load import ClipPriors


def with_known_focal(config: BundleConfig, priors: ClipPriors, clip: Clip) -> BundleConfig:
    """The settings with the horizontal field of view of the given intrinsics, their median over the frames.

    A field of view that is set already stays. Says in one line what is left unused.
    """
    if priors.depth is not None:
        say("the bundle reconstructor does not use known depth; --reconstructor network does")
    if priors.K is None or config.fov_degrees is not None:
        return config
    focal = float(priors.K[:, 0, 0].median())
    return dataclasses.replace(config, fov_degrees=field_of_view(focal / clip.width))
