"""Points followed in 3D against true tracks."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.evaluation.data.clips.folder import scale_intrinsics
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.data.tapvid3d import TracksScene
from neoverse_ns.evaluation.judges.cameras.frames_clip import frames_clip
from neoverse_ns.evaluation.judges.cameras.judge import SCENE
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.metrics.tapvid3d import SpaceTrackScores, score_space_tracks

FIXED = "-fixed"
"""End of the ids whose thresholds are fixed distances in the stead of pixels."""


@dataclass(frozen=True)
class FollowedPoints:
    """A method's answer.

    Attributes:
        places: In the axes of each frame's own camera, any unit.
        visible: Where they are said to be seen.
        report: Plain values that JSON can hold.
    """

    places: Float[Tensor, "n p 3"]
    visible: Bool[Tensor, "n p"]
    report: dict[str, Any]


class TrackMethod(ABC):
    """Who is measured by tracks.

    Attributes:
        name: In tables and on the command line.
        solver: In ids.
    """

    name: str
    solver: str

    @abstractmethod
    def follow(self, clip: Clip, xy: Float[Tensor, "p 2"], frame: Int64[Tensor, " p"]) -> FollowedPoints:
        """Follow points through all frames of a clip.

        Args:
            clip: The frames.
            xy: Columns and rows in the clip's pixels, centres at +0.5.
            frame: Positions of the frames that they are given in.

        Raises:
            ReconstructionError: Nothing can be made of the clip.
        """

    def settings(self) -> dict[str, Any]:
        """What the answer depends on besides the clip."""
        return {}


def judge_tracks(
    protocol: Protocol, scene: BenchmarkScene, choice: Choice, method: TrackMethod, *, work: Path, seed: int = 0
) -> SceneResult:
    """Let a method follow the points that a scene has true tracks of, and score them with the median scale.

    Raises:
        ClipError: The scene has no tracks, or a frame cannot be read.
        SettingsError: The protocol asks for something that is no metric of tracks.
    """
    if not isinstance(scene, TracksScene):
        raise ClipError(f"{scene.folder}: {scene.name} has no true tracks")
    result = SceneResult(scene.name, method.name, [frame.name for frame in choice.inputs])
    result.skipped, result.attempted = list(choice.skipped), dict.fromkeys(protocol.metrics, 1)
    clip, _ = frames_clip(scene, choice.inputs)
    truth, first = scene.tracks(), choice.inputs[0]
    times = [frame.time for frame in choice.inputs]
    asked = torch.tensor([int(time) in times for time in truth.queries_xyt[:, 2].tolist()])
    if not bool(asked.any()):
        raise ClipError(f"{scene.folder}: no point of {scene.name} is given in the frames that are used")
    queries = truth.queries_xyt[asked]
    frame = torch.tensor([times.index(int(at)) for at in queries[:, 2].tolist()])
    source, size = (first.width, first.height), (clip.width, clip.height)
    to_clip = scale_intrinsics(torch.eye(3, dtype=torch.float64)[None], source, size)[0]
    xy = queries[:, :2] * to_clip.diagonal()[:2] + to_clip[:2, 2]
    inside = ((xy >= 0) & (xy <= torch.tensor(size))).all(dim=1)
    # What the clip's borders cut off is followed from the nearest pixel that is left.
    xy = torch.stack([xy[:, 0].clamp(0, size[0]), xy[:, 1].clamp(0, size[1])], dim=1)
    if not bool(inside.all()):
        result.skipped.append(f"{int((~inside).sum())} points lie in cut borders, and begin at the nearest pixel left")
    with PeakMemory() as memory:
        started = time.perf_counter()
        found = method.follow(clip, xy, frame)
        result.seconds["follow"] = time.perf_counter() - started
    result.peak_gb, result.report = memory.peak_gb, found.report
    focal = torch.stack([truth.K[0, 0], truth.K[1, 1]])
    true, seen = truth.tracks_XYZ[times][:, asked], truth.visibility[times][:, asked]
    scores = {
        fixed: score_space_tracks(found.places.double(), found.visible, true, seen, focal, source, fixed=fixed)
        for fixed in {metric.endswith(FIXED) for metric in protocol.metrics}
    }
    for metric in protocol.metrics:
        value = value_of(metric, scores[metric.endswith(FIXED)])
        if math.isfinite(value):
            result.values[metric] = {SCENE: value}
    result.skipped += [score.reason for score in scores.values() if score.reason is not None]
    return result


def value_of(metric: str, scores: SpaceTrackScores) -> float:
    """What a metric's id stands for.

    Raises:
        SettingsError: It is none of tracks.
    """
    name = metric.removesuffix(FIXED)
    values = {
        "epe": scores.mean_distance,
        "apd": scores.within,
        "aj": scores.average_jaccard,
        "oa": scores.occlusion_accuracy,
        **{f"within-{distance:.2f}": share for distance, share in scores.share_within.items()},
    }
    if name not in values and scores.reason is None:
        raise SettingsError(f"'{metric}' is no metric of tracks: epe, apd, aj, oa, within-0.05, within-0.10")
    return values.get(name, math.nan)
