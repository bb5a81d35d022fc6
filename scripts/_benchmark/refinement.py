"""Refiners on one clip: degraded drawings of held-out frames, a second camera, steadiness, and the time it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.methods.flow_interpolation import dis_flow, flow_confidence
from neoverse_ns.generate.base import Conditions, Refiner
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.degradation.geometry import context_depths
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.degradation.simulate import simulate
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.image import psnr, ssim
from neoverse_ns.metrics.lpips import LPIPS
from neoverse_ns.metrics.unseen_views import place_beside, place_by_alignment
from neoverse_ns.metrics.video import change_error, frame_change, warping_error
from neoverse_ns.reconstruct.scene import Scene

MASK_ALPHA = 0.95
"""Opacity from which on a pixel is marked as to be kept; nothing of the true frame goes into the mask."""

ASIDE = 0.1
"""Length of the new path that is judged for steadiness, in units of the scene's typical depth."""

FOLLOWED = 0.5
"""Confidence of flow from which on a pixel is taken to be the same thing in both frames."""

Frames = Float[Tensor, "n h w 3"]


@dataclass(frozen=True)
class Contest:
    """What is compared.

    Attributes:
        refiners: By name; what is measured of all of them is also measured of the drawing, named "render".
        lpips: None where there are no weights for it.
        seeds: Of the degraded versions of the scene that are judged; none of them may be among the training's.
    """

    refiners: dict[str, Refiner]
    lpips: LPIPS | None
    seeds: tuple[int, ...]


def measure_refiners(sample: BenchmarkClip, scene: Scene, contest: Contest, seed: int) -> dict[str, Any]:
    """Everything about one clip. The refiners learn from the scene's training frames alone.

    Args:
        sample: The clip with what is known about it.
        scene: Its reconstruction, as lifted.
        contest: Which refiners, and on what.
        seed: Of the refiners' training.
    """
    source = SourceScene.of(scene)
    result: dict[str, Any] = {"seconds": _adapt(contest.refiners, source, seed)}
    clip, geometry = scene.clip, scene.geometry
    everything = SourceScene(
        clip.frames, geometry.cameras, clip.times, geometry.keyframes, source.gaussians, scene.split.keyframes
    )
    result["simulated"] = _simulated(everything, scene.split.held_out, contest)
    result["as_lifted"] = _as_lifted(everything, scene.split.held_out, contest)
    result["steadiness"] = _steadiness(everything, contest)
    if sample.right_frames is not None:
        result["right"] = _right(sample, everything, contest)
    return result


def _adapt(refiners: dict[str, Refiner], source: SourceScene, seed: int) -> dict[str, float]:
    seconds = {}
    for name, refiner in refiners.items():
        started = time.perf_counter()
        refiner.adapt(source, seed)
        seconds[name] = time.perf_counter() - started
    return seconds


def _simulated(source: SourceScene, frames: list[int], contest: Contest) -> dict[str, Any]:
    """Held-out frames of degraded scenes."""
    scores = _Scores(contest)
    started, drawn = dict.fromkeys(contest.refiners, 0.0), 0
    for seed in contest.seeds:
        conditions = _degraded(source, seed, frames)
        drawn += len(conditions)
        for name, refiner in contest.refiners.items():
            begin = time.perf_counter()
            scores.add(name, refiner.refine(conditions), source.frames[frames])
            started[name] += time.perf_counter() - begin
        scores.add("render", conditions.rgb, source.frames[frames])
    per_frame = {f"{name}_seconds_per_frame": spent / drawn for name, spent in started.items()}
    return scores.means() | per_frame


def _as_lifted(source: SourceScene, frames: list[int], contest: Contest) -> dict[str, Any]:
    """Held-out frames of the scene as it is: what refinement does where little is wrong."""
    settings = ConditionSettings(mask_threshold=MASK_ALPHA)
    conditions = draw_conditions(source.gaussians, source.cameras[frames], source.times[frames], settings)
    return _score_all(conditions, source.frames[frames], contest)


def _right(sample: BenchmarkClip, source: SourceScene, contest: Contest) -> dict[str, Any]:
    """The second camera at every frame's time, in both placements."""
    assert sample.cameras is not None
    assert sample.right_cameras is not None
    assert sample.right_frames is not None
    result = {}
    placements: dict[str, Callable[..., PinholeCameras]] = {"aligned": place_by_alignment, "beside": place_beside}
    for name, place in placements.items():
        cameras = place(source.cameras, sample.cameras, sample.right_cameras)
        # The unrefined view is what a viewer shows, with the far field through what is open.
        shown = draw_conditions(source.gaussians, cameras, source.times, ConditionSettings(far_field=True)).rgb
        drawn = draw_conditions(source.gaussians, cameras, source.times, ConditionSettings(MASK_ALPHA))
        result[name] = _score_all(drawn, sample.right_frames, contest, render=shown)
    return result


def _steadiness(source: SourceScene, contest: Contest) -> dict[str, Any]:
    """Flicker: against the truth on the whole degraded clip; on a new path, of which no truth is known, what
    neighbouring frames differ by where the flow between them is certain, and by all."""
    degraded = _degraded(source, contest.seeds[0], list(range(len(source))))
    truth = source.frames.to(torch.float32) / 255
    cameras = aside(source.cameras, ASIDE * context_depths(source).scale)
    path = draw_conditions(source.gaussians, cameras, source.times, ConditionSettings(MASK_ALPHA))
    result: dict[str, Any] = {"render": _both(degraded.rgb, truth, path.rgb)}
    for name, refiner in contest.refiners.items():
        result[name] = _both(refiner.refine(degraded), truth, refiner.refine(path))
    return result


def _both(degraded: Frames, truth: Frames, path: Frames) -> dict[str, float]:
    # In grey levels, which are easier to read than thousandths.
    return {
        "change_error": 255 * change_error(degraded, truth),
        "path_flicker": 255 * _flicker(path),
        "path_change": 255 * frame_change(path),
    }


def _flicker(frames: Frames) -> float:
    """Warping error of a video along its own flow."""
    gray = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (255 * frames).round().to(torch.uint8).numpy()]
    both = [(dis_flow(a, b), dis_flow(b, a)) for a, b in pairwise(gray)]
    flow = torch.from_numpy(np.stack([forward for forward, _ in both]))
    followed = torch.from_numpy(np.stack([flow_confidence(*pair) for pair in both]) > FOLLOWED)
    return warping_error(frames, flow, followed)


def aside(cameras: PinholeCameras, distance: float) -> PinholeCameras:
    """Cameras that leave the clip's own path sideways, evenly, by `distance` in the end."""
    c2w = cameras.c2w.clone()
    share = torch.linspace(0, 1, len(cameras), dtype=c2w.dtype)
    c2w[:, :3, 3] += distance * share[:, None] * c2w[:, :3, 0]
    return replace(cameras, c2w=c2w)


def _degraded(source: SourceScene, seed: int, frames: list[int]) -> Conditions:
    """Conditions of a degraded scene as views to be refined have them: nothing dropped, the mask from opacity alone."""
    settings = DegradationSettings(drop_prompt=0.0, drop_mask=0.0, drop_conditions=0.0)
    conditions = simulate(source, torch.Generator().manual_seed(seed), settings, frames).conditions
    return replace(conditions, mask=conditions.alpha >= MASK_ALPHA)


def _score_all(
    conditions: Conditions, truth: Tensor, contest: Contest, render: Frames | None = None
) -> dict[str, dict[str, float]]:
    scores = _Scores(contest)
    scores.add("render", conditions.rgb if render is None else render, truth)
    for name, refiner in contest.refiners.items():
        scores.add(name, refiner.refine(conditions), truth)
    return scores.means()


class _Scores:
    """PSNR, SSIM and LPIPS of several methods, gathered frame by frame."""

    def __init__(self, contest: Contest) -> None:
        self._lpips = contest.lpips
        self._values: dict[str, list[tuple[float, float, float]]] = {}

    def add(self, name: str, frames: Iterable[Tensor], truth: Iterable[Tensor]) -> None:
        for frame, bytes_ in zip(frames, truth, strict=True):
            a, b = frame.cpu().to(torch.float32), bytes_.to(torch.float32) / 255
            distance = float("nan") if self._lpips is None else self._lpips(a, b)
            self._values.setdefault(name, []).append((psnr(a, b), ssim(a, b), distance))

    def means(self) -> dict[str, dict[str, float]]:
        """Mean of every measure by method."""
        keys = ("psnr", "ssim", "lpips")
        return {
            name: dict(zip(keys, np.mean(values, axis=0).tolist(), strict=True))
            for name, values in self._values.items()
        }


def read_scene(sample: BenchmarkClip, cache: Path) -> Scene:
    """The clip's scene as lifted, reconstructed once and then taken from `cache`."""
    from neoverse_ns.reconstruct.cache import cached_scene
    from neoverse_ns.reconstruct.config import SceneConfig

    return cached_scene(sample.source, SceneConfig(clip=sample.config, cache_dir=cache))
