"""The seed of a task, put where our method draws at random, and whether it draws at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from neoverse_ns.reconstruct.registry import choose_reconstructor

if TYPE_CHECKING:
    from neoverse_ns.evaluation.methods.ours import OursConfig

UNUSED_SEED = "unused"
"""What a report says in the stead of a seed where nothing is drawn at random."""

_DRAWING_RECONSTRUCTORS = frozenset({"bundle", "da3"})
_DRAWING_REFINERS = frozenset({"internal", "wan"})


def seeded(config: OursConfig, seed: int) -> OursConfig:
    """The same settings with a seed: of the bundle's sampling of matches, of Depth Anything 3, and of refiners.

    Optimisation needs none: which frame a step looks at depends on the number of the step alone.
    """
    scene = replace(
        config.scene, bundle=replace(config.scene.bundle, seed=seed), da3=replace(config.scene.da3, seed=seed)
    )
    return replace(config, scene=scene, refiner=replace(config.refiner, seed=seed))


def uses_seed(config: OursConfig) -> bool:
    """Whether another seed could give another answer."""
    drawn = choose_reconstructor(config.scene).name in _DRAWING_RECONSTRUCTORS
    return drawn or config.refiner.refiner in _DRAWING_REFINERS
