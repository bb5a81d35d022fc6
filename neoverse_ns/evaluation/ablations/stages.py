"""Where the time of a scene goes, in the few stages that methods of all kinds have."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from neoverse_ns.evaluation.results.scene_result import SceneResult

STAGES = ("decode", "cameras", "geometry", "gaussians", "refinement", "render", "generation")
"""In order. Loading of models counts to none of them."""

_BELONGS = {
    "inputs": "decode",
    "overlays": "cameras",
    "flow": "cameras",
    "windows": "cameras",
    "network": "geometry",
    "depth": "geometry",
    "motion": "geometry",
    "things": "geometry",
    "lift": "gaussians",
    "reconstruct": "gaussians",
    "optimise": "refinement",
    "optimisation": "refinement",
    "draw": "render",
    "drawing": "render",
    "finish": "generation",
    "refiner": "generation",
    "learning": "generation",
    "refining": "generation",
}
"""What reconstructors and refiners call their own parts."""

_NO_STAGE = ("load", "loading", "reconstruct_total", "total")
"""Loading, and sums of others."""


def in_stages(seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds by stage; a part that belongs to none keeps its name, so that nothing is lost silently."""
    found: dict[str, float] = {}
    for part, took in seconds.items():
        if part not in _NO_STAGE:
            stage = _BELONGS.get(part, part)
            found[stage] = found.get(stage, 0.0) + took
    known = {stage: found[stage] for stage in STAGES if stage in found}
    return known | {part: took for part, took in found.items() if part not in STAGES}


def median_stages(runs: Sequence[SceneResult]) -> dict[str, float]:
    """Of each stage the median over repeated runs of one scene, and their `total`."""
    split = [in_stages(run.seconds) for run in runs]
    names = list(dict.fromkeys(name for one in split for name in one))
    medians = {name: statistics.median(one.get(name, 0.0) for one in split) for name in names}
    return medians | {"total": sum(medians.values())}
