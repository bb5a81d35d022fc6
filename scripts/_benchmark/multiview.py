"""Views beside a clip and the scene merged from them, against what cameras there truly saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from neoverse_ns.applications.extend.grow import Grown, grow
from neoverse_ns.clip.synthetic.path import beside
from neoverse_ns.clip.synthetic.render import render_colour
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.generate.base import Refiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.image import psnr, ssim
from neoverse_ns.metrics.lpips import LPIPS
from neoverse_ns.metrics.unseen_views import place_beside, place_by_alignment
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.trajectory.presets import MoveSize, end_pose
from neoverse_ns.trajectory.trajectory import Trajectory

ASIDE = (0.05, 0.1, 0.2)
"""How far the demo's other cameras stand to either side, as shares of the median depth."""
TURN, RINGS = 25.0, 2
"""Degrees from ring to ring of cameras turned on the spot, and how many rings there are."""

Frames = Float[Tensor, "n h w 3"]


@dataclass(frozen=True)
class Known:
    """A camera beside the clip's: where it stands in the scene's world, and what it truly saw at the clip's moments."""

    cameras: PinholeCameras
    truth: UInt8[Tensor, "n h w 3"]


@dataclass(frozen=True)
class Judge:
    """Who refines and who compares.

    Attributes:
        config: The refiner's settings.
        refiner: Made from them.
        lpips: None where there are no weights for it.
    """

    config: RefinerConfig
    refiner: Refiner
    lpips: LPIPS | None


def measure_known(
    scene: ExportScene, known: Mapping[str, Known], judge: Judge, frames: list[int]
) -> dict[str, dict[str, Any]]:
    """Grow the scene by all of the cameras in order, and compare with the truth of each at some of the clip's frames.

    Returns:
        By name: the scores of the plain drawing ("drawn"), of the finished view ("view") and of the scene merged from
        all of them ("merged"), each in all and where nothing was seen; and how much that is.
    """
    paths = {name: Trajectory(view.cameras, scene.times[frames]) for name, view in known.items()}
    grown = grow(scene, paths, judge.config, refiner=judge.refiner)
    return {name: _compare(scene, grown, name, view.truth, judge.lpips) for name, view in known.items()}


def _compare(
    scene: ExportScene, grown: Grown, name: str, truth: UInt8[Tensor, "n h w 3"], lpips: LPIPS | None
) -> dict[str, Any]:
    view = grown.views[name]
    pictures = {
        "drawn": draw(scene.gaussians, view.trajectory),
        "view": view.frames.float() / 255,
        "merged": draw(grown.scene.gaussians, view.trajectory),
    }
    row: dict[str, Any] = {way: scores(frames, truth, view.invented, lpips) for way, frames in pictures.items()}
    return row | {"invented_percent": 100 * float(view.invented.float().mean())}


def draw(gaussians: LayeredGaussians, path: Trajectory) -> Frames:
    """Everything that a viewer shows along a path."""
    views = views_along(gaussians, path.cameras, path.times)
    return torch.cat([view.drawing.rgb.clamp(0, 1).cpu() for view in views])


def scores(
    frames: Frames, truth: UInt8[Tensor, "n h w 3"], invented: Bool[Tensor, "n h w"], lpips: LPIPS | None
) -> dict[str, float]:
    """Means over the frames, PSNR where nothing was seen, and PSNR after the best change of brightness and contrast."""
    true = truth.float() / 255
    pairs = list(zip(frames, true, strict=True))
    away = (frames - true)[invented].square().mean() if bool(invented.any()) else torch.tensor(float("nan"))
    return {
        "psnr": float(np.mean([psnr(a, b) for a, b in pairs])),
        "ssim": float(np.mean([ssim(a, b) for a, b in pairs])),
        "lpips": float("nan") if lpips is None else float(np.mean([lpips(a, b) for a, b in pairs])),
        "psnr_invented": float(-10 * away.log10()),
        "psnr_fitted": float(np.mean([psnr(fitted(a, b), b) for a, b in pairs])),
    }


def fitted(a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"]) -> Float[Tensor, "h w 3"]:
    """`a` with the gain and offset per channel that bring it nearest to `b`: another camera's exposure is no error."""
    mean_a, mean_b = a.mean((0, 1)), b.mean((0, 1))
    covariance = ((a - mean_a) * (b - mean_b)).mean((0, 1))
    gain = covariance / (a - mean_a).square().mean((0, 1)).clamp_min(1e-12)
    return (mean_b + gain * (a - mean_a)).clamp(0, 1)


def demo_cameras(
    sample: BenchmarkClip, scene: ExportScene, frames: list[int]
) -> Iterator[tuple[str, Callable[[], dict[str, Known]]]]:
    """The synthetic clip's other cameras by experiment: to both sides of the path, and turned on the spot."""
    assert sample.cameras is not None
    assert sample.depth is not None
    true, median = _double(sample.cameras), float(sample.depth.median())
    for share in ASIDE:
        sides = {"right": beside(true, share * median), "left": beside(true, -share * median)}
        yield f"{100 * share:g} % aside", partial(_known, scene, true, sides, frames)
    turned = {
        f"{side}_{ring}": replace(true, c2w=true.c2w @ end_pose(f"pan_{side}", MoveSize(angle=TURN * ring)))
        for ring in range(1, RINGS + 1)
        for side in ("left", "right")
    }
    yield f"{TURN:g} degrees a ring", partial(_known, scene, true, turned, frames)


def right_cameras(
    sample: BenchmarkClip, scene: ExportScene, frames: list[int]
) -> Iterator[tuple[str, Callable[[], dict[str, Known]]]]:
    """A clip's own second camera, in both placements."""
    assert sample.cameras is not None
    assert sample.right_cameras is not None
    assert sample.right_frames is not None
    for name, place in (("right, beside", place_beside), ("right, aligned", place_by_alignment)):
        cameras = place(scene.cameras, sample.cameras, sample.right_cameras)
        known = Known(cameras[frames], sample.right_frames[frames])
        yield name, lambda known=known: {"right": known}


def _known(
    scene: ExportScene, true: PinholeCameras, others: Mapping[str, PinholeCameras], frames: list[int]
) -> dict[str, Known]:
    """Cameras of the synthetic world, placed relative to the estimated ones, and rendered."""
    known = {}
    for name, other in others.items():
        placed = place_beside(scene.cameras, true, other)
        known[name] = Known(placed[frames], _rendered(other, frames))
    return known


def _double(cameras: PinholeCameras) -> PinholeCameras:
    return replace(cameras, c2w=cameras.c2w.double(), K=cameras.K.double())


def _rendered(cameras: PinholeCameras, frames: list[int]) -> UInt8[Tensor, "n h w 3"]:
    """What the demo's courtyard looks like from some of its cameras, of which there is one per frame of the clip."""
    generator = torch.Generator().manual_seed(0)
    lattice = random_lattice(generator)
    world = build_scene(generator)
    last = max(len(cameras) - 1, 1)
    return torch.stack([render_colour(world, lattice, i / last, cameras[i : i + 1]) for i in frames])
