"""Differences between two rows, scene by scene: what scenes have in common does not blur them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from neoverse_ns.evaluation.results.means import scene_mean
from neoverse_ns.evaluation.results.run_file import MethodRun

FEWEST = 5
"""Scenes below which nothing is said of significance."""

_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Two-sided 95 % quantiles of Student's t for 1 to 10 degrees of freedom."""


@dataclass(frozen=True)
class Difference:
    """A metric of a row, less that of the row that has all.

    Attributes:
        mean: Over scenes that both measured; NaN where there is none.
        spread: Standard deviation of the scenes' differences; NaN for fewer than two scenes.
        scenes: How many there are.
    """

    mean: float
    spread: float
    scenes: int

    @property
    def half_interval(self) -> float:
        """Half of the 95 % interval of the mean by Student's t; NaN for fewer than `FEWEST` scenes."""
        if self.scenes < FEWEST:
            return math.nan
        return student(self.scenes - 1) * self.spread / math.sqrt(self.scenes)

    @property
    def significant(self) -> bool | None:
        """Whether the interval leaves out 0; None where too few scenes were measured to say."""
        half = self.half_interval
        return None if math.isnan(half) else abs(self.mean) > half


def student(freedom: int) -> float:
    """Two-sided 95 % quantile of Student's t; beyond the table by the expansion of Cornish and Fisher (< 1e-3 off)."""
    if freedom <= len(_STUDENT):
        return _STUDENT[freedom - 1]
    z = 1.959964
    first = (z**3 + z) / (4 * freedom)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return z + first + second + third


def paired(values: Sequence[tuple[float, float]]) -> Difference:
    """The difference of pairs `(row, full row)`, a pair a scene; pairs that are not finite are left out."""
    gaps = [a - b for a, b in values if math.isfinite(a) and math.isfinite(b)]
    spread = statistics.stdev(gaps) if len(gaps) > 1 else math.nan
    return Difference(statistics.fmean(gaps) if gaps else math.nan, spread, len(gaps))


def difference(row: MethodRun, full: MethodRun, metric: str) -> Difference:
    """The same of two methods' results under one protocol."""
    pairs = [
        (scene_mean(scene, metric), scene_mean(other, metric))
        for scene in row.scenes
        if (other := full.of(scene.scene)) is not None
    ]
    return paired(pairs)
