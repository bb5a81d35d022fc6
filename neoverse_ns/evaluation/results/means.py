"""Means over frames and scenes, which always say of how many values they are."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neoverse_ns.evaluation.results.run_file import MethodRun, RunFile
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.metrics.vbench.dimensions import DIMENSIONS

WEIGHTS = "valid-pixels"
"""Key under which a scene's values have the weight that it counts with in "scenes by valid pixels"."""


@dataclass(frozen=True)
class Mean:
    """A metric over all scenes of a method.

    Attributes:
        value: NaN where there is nothing to take a mean of; infinite where a value is.
        values: How many values it is of.
        attempted: How many there would be, were every scene and frame measured.
        scenes: How many scenes it is of.
        of_scenes: How many there are.
        worst: The scene farthest from good, where that is wanted; NaN elsewhere.
    """

    value: float
    values: int
    attempted: int
    scenes: int
    of_scenes: int
    worst: float = math.nan

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.values == self.attempted and self.scenes == self.of_scenes

    @property
    def counts(self) -> str:
        """`N of M`, values and, where some are missing, scenes."""
        text = f"{self.values} of {self.attempted}"
        return text if self.scenes == self.of_scenes else f"{text}, {self.scenes} of {self.of_scenes} scenes"

    def to_plain(self) -> dict[str, Any]:
        """What JSON can hold; an infinite value is given as text, NaN as None."""
        shown: float | str | None = self.value
        if math.isnan(self.value):
            shown = None
        elif math.isinf(self.value):
            shown = "infinite"
        worst = {} if math.isnan(self.worst) else {"worst": self.worst}
        return {"value": shown, "of": self.counts, "complete": self.complete} | worst


def scene_mean(result: SceneResult, metric: str) -> float:
    """Mean of a metric over the frames of a scene where it was measured; NaN where it nowhere was."""
    values = list(result.values.get(metric, {}).values())
    return statistics.fmean(values) if values else math.nan


def means_of(results: RunFile, run: MethodRun) -> dict[str, Mean]:
    """Means of every metric of the protocol, by the rule that it names.

    Raises:
        KeyError: There is no such rule.
    """
    rule = RULES[results.protocol["tables"]]
    return {metric: _mean(results, run, metric, rule) for metric in results.protocol["metrics"]}


def _mean(results: RunFile, run: MethodRun, metric: str, rule: Rule) -> Mean:
    found = [scene for scene in run.scenes if scene.scene in results.scenes]
    usable = [scene for scene in found if scene.values.get(metric)]
    values = sum(len(scene.values[metric]) for scene in usable)
    # A scene without an answer does not know how many values it would have had: one stands for all of them.
    attempted = sum(max(scene.attempted.get(metric, 1), 1) for scene in found)
    waiting = len(results.scenes) - len(found)
    value, worst = rule(usable, metric) if usable else (math.nan, math.nan)
    scenes = len(results.scenes) + len(results.missing)
    return Mean(value, values, attempted + waiting + len(results.missing), len(usable), scenes, worst)


Rule = Callable[[list[SceneResult], str], tuple[float, float]]
"""From scenes that have values, the mean, and the worst where it is wanted."""


def _frames_then_scenes(scenes: list[SceneResult], metric: str) -> tuple[float, float]:
    return statistics.fmean(scene_mean(scene, metric) for scene in scenes), math.nan


def _median_and_worst(scenes: list[SceneResult], metric: str) -> tuple[float, float]:
    # Over the sizes of errors: a focal length 10 % too long and one 10 % too short are not right in the middle.
    sizes = [abs(scene_mean(scene, metric)) for scene in scenes]
    return statistics.median(sizes), max(sizes)


def _by_valid_pixels(scenes: list[SceneResult], metric: str) -> tuple[float, float]:
    weights = [sum(scene.values.get(WEIGHTS, {}).values()) for scene in scenes]
    total = sum(weights)
    if not total:
        return math.nan, math.nan
    pairs = zip(scenes, weights, strict=True)
    return sum(weight * scene_mean(scene, metric) for scene, weight in pairs) / total, math.nan


def _all_frames(scenes: list[SceneResult], metric: str) -> tuple[float, float]:
    return statistics.fmean(value for scene in scenes for value in scene.values[metric].values()), math.nan


def _videos(scenes: list[SceneResult], metric: str) -> tuple[float, float]:
    # VBench counts the frames of all videos alike in its dimensions of consistency, and videos alike in the others.
    pooled = metric in DIMENSIONS and DIMENSIONS[metric].pooled
    return (_all_frames if pooled else _frames_then_scenes)(scenes, metric)


RULES: dict[str, Rule] = {
    "frames, then scenes": _frames_then_scenes,
    "scenes, median and worst": _median_and_worst,
    "scenes by valid pixels": _by_valid_pixels,
    "all frames pooled": _all_frames,
    "videos, consistency by frame": _videos,
}
"""By what protocols call them."""
