"""A video by itself: VBench's dimensions, and figures of our own that need no weights."""

from __future__ import annotations

import math
import time
from pathlib import Path

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.judges.video.geometry import GEOMETRY_MEASURES, measure_geometry
from neoverse_ns.evaluation.judges.video.own_measures import OWN_MEASURES
from neoverse_ns.evaluation.methods.video_methods import AsIs
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.metrics.vbench.dimensions import DIMENSIONS, measure_of
from neoverse_ns.metrics.vbench.measure import NotMeasuredError, VideoMeasure


def judge_video(
    protocol: Protocol,
    scene: BenchmarkScene,
    choice: Choice,
    method: AsIs,
    *,
    work: Path,
    seed: int = 0,
    weights: Path | None = None,
) -> SceneResult:
    """Show every frame of a video to all measures of a protocol in one pass.

    A dimension whose weights are not there is attempted, not measured, and named with what to fetch.

    Args:
        protocol: What to measure.
        scene: The video.
        choice: All of its frames.
        method: Whoever made it; of no influence.
        work: Of no use here.
        seed: Nothing here is random.
        weights: Folder that networks are read from; None looks where they usually are.

    Raises:
        ClipError: A frame cannot be read.
        WeightsError, PackageError: Weights are there, but cannot be used.
    """
    started = time.perf_counter()
    result = SceneResult(scene.name, method.name, [frame.name for frame in choice.inputs])
    measures: list[VideoMeasure] = []
    for metric in protocol.metrics:
        result.attempted[metric] = attempted_of(metric, len(choice.inputs))
        if metric in GEOMETRY_MEASURES:
            continue
        try:
            measures.append(_measure(metric, weights))
        except NotMeasuredError as error:
            result.skipped.append(str(error))
    for frame in choice.inputs:
        rgb = scene.read(frame, "rgb").rgb
        assert rgb is not None
        for measure in measures:
            measure.add(rgb)
    for measure in measures:
        measure.finish()
        found = {choice.inputs[number].name: value for number, value in measure.values.items() if math.isfinite(value)}
        result.values[measure.id] = found
        if measure.why_not is not None:
            result.skipped.append(f"{measure.id}: {measure.why_not}")
    result.seconds["measure"] = time.perf_counter() - started
    if any(metric in GEOMETRY_MEASURES for metric in protocol.metrics):
        measure_geometry(protocol, scene, choice, result, weights, work, seed)
    return result


def attempted_of(metric: str, frames: int) -> int:
    """How many values a measure gives for a video of so many frames."""
    per_frame = {"aesthetic-quality": frames, "imaging-quality": frames}
    halves = {"motion-smoothness": (frames - 1) // 2, "smoothness-flow": (frames - 1) // 2}
    return max({**per_frame, **halves}.get(metric, 1 if metric in GEOMETRY_MEASURES else frames - 1), 1)


def _measure(metric: str, weights: Path | None) -> VideoMeasure:
    if metric in DIMENSIONS:
        return measure_of(DIMENSIONS[metric], weights)
    if metric in OWN_MEASURES:
        return OWN_MEASURES[metric]()
    raise SettingsError(
        f"nothing measures '{metric}' of a video by itself; there are {', '.join([*DIMENSIONS, *OWN_MEASURES])}"
    )
