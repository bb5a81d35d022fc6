"""Depth of the given frames against the truth, all frames of a scene after one alignment."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.errors import ClipError, ReconstructionError, SettingsError
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.judges.cameras.judge import SCENE
from neoverse_ns.evaluation.judges.cameras.make_task import scene_task
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.means import WEIGHTS
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.metrics.depth import DepthAlignment, DepthError, DepthLimits, depth_error, resized_depth
from neoverse_ns.trajectory.plain_json import plain

_ALIGNMENTS: dict[str, DepthAlignment] = {
    "none": "none",
    "median": "median_scale",
    "scale": "reweighted_scale",
    "shift": "l1_scale_shift",
}
"""What stands behind the last hyphen of a metric's id."""

_VALUES = {
    "absrel": "abs_rel",
    "sqrel": "sq_rel",
    "rmse": "rmse",
    "logrmse": "log_rmse",
    "delta1": "delta_125",
    "delta2": "delta_2",
    "delta3": "delta_3",
}
"""What stands before it."""

_LEAST = 1e-5
"""Metres to which aligned estimates are raised, as MonST3R (Zhang et al., 2025) does."""


def judge_depth(
    protocol: Protocol, scene: BenchmarkScene, choice: Choice, method: CameraMethod, *, work: Path, seed: int = 0
) -> SceneResult:
    """Let a method find the depth of every given frame, and compare all of it at the truth's size.

    Raises:
        ClipError: A frame has no true depth, or cannot be read.
        ReconstructionError: The method finds no depth, or nothing at all.
        SettingsError: The protocol asks for something that is no depth metric.
    """
    wanted = {metric: _parts(metric) for metric in protocol.metrics}
    result = SceneResult(scene.name, method.name, [frame.name for frame in choice.inputs])
    result.skipped, result.attempted = list(choice.skipped), dict.fromkeys(protocol.metrics, 1)
    task, _ = scene_task(scene, choice.inputs, work / scene.name, seed, every_depth=True)
    clip = task.clip
    found = method.solve(task)
    result.seconds, result.peak_gb, result.report = dict(found.seconds), found.peak_gb, plain(found.report)
    if found.geometry is None:
        raise ReconstructionError(found.failed or f"{method.name} finds cameras, and no depth")
    if found.geometry.keyframes != list(range(len(clip))):
        raise ReconstructionError(f"{method.name} gave depth for {len(found.geometry.keyframes)} of {len(clip)} frames")
    truth = torch.stack([_true_depth(scene, place, choice) for place in range(len(clip))])
    height, width = truth.shape[-2:]
    estimate, covered = at_source_size(found.geometry.depth, width, height)
    errors = {
        alignment: depth_error(estimate, truth, covered, _ALIGNMENTS[alignment], limits_of(protocol.mask))
        for alignment in dict.fromkeys(alignment for _, alignment in wanted.values())
    }
    _fill(result, wanted, errors)
    return result


def limits_of(mask: str) -> DepthLimits:
    """Which depths count, by the word in a protocol's id: `own` all that are known, `below-70` those nearer than so
    many metres, `clip-70` these, with estimates lowered to it, too.

    Raises:
        SettingsError: It is no such word.
    """
    kind, _, metres = mask.partition("-")
    try:
        far = float(metres) if metres else None
    except ValueError:
        far = math.nan
    if (kind in ("own", "plain") and far is None) or (kind in ("below", "clip") and far is not None and far > 0):
        return DepthLimits(far, _LEAST, far if kind == "clip" else None)
    raise SettingsError(f"depth is masked by own, below-METRES or clip-METRES, not by '{mask}'")


def at_source_size(
    depth: Float[Tensor, "n h w"], width: int, height: int
) -> tuple[Float[Tensor, "n sh sw"], Bool[Tensor, "n sh sw"]]:
    """Depth of a clip's pixels at the size of its source, and where the clip shows anything: its borders were cut.

    Args:
        depth: At the clip's size; see :func:`neoverse_ns.clip.resize.fit` for how the clip came to it.
        width: Of the source.
        height: The same.
    """
    own_height, own_width = depth.shape[-2:]
    scale = max(own_width / width, own_height / height)
    inner_width, inner_height = min(round(own_width / scale), width), min(round(own_height / scale), height)
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    whole = depth.new_ones(len(depth), height, width)
    covered = torch.zeros(whole.shape, dtype=torch.bool)
    inside = (..., slice(top, top + inner_height), slice(left, left + inner_width))
    whole[inside] = resized_depth(depth, inner_height, inner_width)
    covered[inside] = True
    return whole, covered


def _fill(result: SceneResult, wanted: dict[str, tuple[str, str]], errors: dict[str, DepthError]) -> None:
    for metric, (value, alignment) in wanted.items():
        number = getattr(errors[alignment], _VALUES[value])
        if math.isfinite(number):
            result.values[metric] = {SCENE: number}
    for alignment, error in errors.items():
        result.values[WEIGHTS] = {SCENE: float(error.pixels)}
        result.report[f"depth {alignment}"] = plain({"scale": error.scale, "shift": error.shift})
        if error.reason is not None:
            result.skipped.append(f"depth, {alignment}: {error.reason}")


def _true_depth(scene: BenchmarkScene, place: int, choice: Choice) -> Float[Tensor, "h w"]:
    frame = choice.inputs[place]
    depth = scene.read(frame, "depth").depth
    if depth is None:
        raise ClipError(f"{scene.folder / frame.name}: has no true depth")
    return depth


def _parts(metric: str) -> tuple[str, str]:
    value, _, alignment = metric.rpartition("-")
    if value not in _VALUES or alignment not in _ALIGNMENTS:
        raise SettingsError(
            f"'{metric}' is no depth metric: {', '.join(_VALUES)}, a hyphen, then {', '.join(_ALIGNMENTS)}"
        )
    return value, alignment
