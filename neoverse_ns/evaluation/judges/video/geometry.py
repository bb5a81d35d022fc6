"""Figures of a video that need depth and cameras: consistency in 3D, and what a warped input says of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.errors import NeoVerseError
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.data.videos.scene import VideoScene
from neoverse_ns.evaluation.judges.cameras.make_task import scene_task
from neoverse_ns.evaluation.judges.video.warped_input import input_views, missing_inputs
from neoverse_ns.evaluation.methods.solvers.own import BundleSolver
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.metrics.met3r_like import Features, colour_patches, dino_features, inconsistency
from neoverse_ns.metrics.vbench import files
from neoverse_ns.metrics.vbench.dino_tower import load_dino_tower
from neoverse_ns.metrics.vbench.measure import NotMeasuredError
from neoverse_ns.metrics.warp import View, warp_psnr
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.split import split_frames

WARP = "warp-psnr"
BY_COLOUR, BY_DINO = "met3r-like(bundle,colour)", "met3r-like(bundle,dino)"
GEOMETRY_MEASURES = (BY_COLOUR, BY_DINO, WARP)


def measure_geometry(
    protocol: Protocol,
    scene: BenchmarkScene,
    choice: Choice,
    result: SceneResult,
    weights: Path | None,
    work: Path,
    seed: int,
) -> None:
    """Add what a protocol wants of these to a result; what cannot be measured is named there.

    Args:
        protocol: Says which.
        scene: The video.
        choice: All of its frames.
        result: Gets values, attempts, reasons and seconds.
        weights: Folder of DINO's weights; None looks where they usually are.
        work: For the solver.
        seed: Of everything random.

    Raises:
        ClipError: A frame cannot be read.
        WeightsError, PackageError: Weights are there, but cannot be used.
    """
    started = time.perf_counter()
    makers: dict[str, Callable[[], Features]] = {BY_COLOUR: lambda: colour_patches, BY_DINO: lambda: _dino(weights)}
    wanted: dict[str, Features] = {}
    for metric in protocol.metrics:
        if metric not in makers:
            continue
        result.attempted[metric] = len(split_frames(len(choice.inputs), held_out_every=0).keyframes) - 1
        try:
            wanted[metric] = makers[metric]()
        except NotMeasuredError as error:
            result.skipped.append(str(error))
    if wanted:
        _consistency(wanted, scene, choice, result, work, seed)
    if WARP in protocol.metrics:
        result.attempted[WARP] = len(choice.inputs)
        _warped(scene, choice, result)
    result.seconds["geometry"] = time.perf_counter() - started


def _dino(folder: Path | None) -> Features:
    return dino_features(load_dino_tower(files.DINO.require(BY_DINO, folder)).patches)


def _consistency(
    wanted: dict[str, Features], scene: BenchmarkScene, choice: Choice, result: SceneResult, work: Path, seed: int
) -> None:
    """Of neighbouring keyframes, in both directions; what moves on its own does not count."""
    task, _ = scene_task(scene, choice.inputs, work / scene.name, seed)
    try:
        found = BundleSolver().solve(task)
    except NeoVerseError as error:
        result.skipped.append(f"{', '.join(wanted)}: {error}")
        return
    geometry = found.geometry
    assert geometry is not None
    result.report["geometry"] = {"kind": found.report.get("kind"), "confidence": found.report.get("confidence")}
    for metric, features in wanted.items():
        values = {}
        # The solver chose them itself.
        result.attempted[metric] = len(geometry.keyframes) - 1
        for place, (first, second) in enumerate(pairwise(geometry.keyframes)):
            both = [features(task.clip.frames[frame]) for frame in (first, second)]
            there = inconsistency(both[0], both[1], *_of(geometry, place, place + 1))
            back = inconsistency(both[1], both[0], *_of(geometry, place + 1, place))
            value = (there + back) / 2
            if math.isfinite(value):
                values[choice.inputs[second].name] = value
            else:
                result.skipped.append(f"{metric}: frames {first} and {second} see nothing in common")
        result.values[metric] = values


def _of(
    geometry: SceneGeometry, known: int, other: int
) -> tuple[Float[Tensor, "h w"], View, View, Bool[Tensor, "h w"]]:
    """Depth, both views and what stands still, of two keyframes by their places."""
    frames = geometry.keyframes
    views = [View(geometry.cameras.c2w[frames[i]], geometry.cameras.K[frames[i]]) for i in (known, other)]
    return geometry.depth[known], views[0], views[1], ~geometry.dynamic[known]


def _warped(scene: BenchmarkScene, choice: Choice, result: SceneResult) -> None:
    lacking = missing_inputs(scene)
    if lacking is not None:
        result.skipped.append(f"{WARP}: {lacking}")
        return
    assert isinstance(scene, VideoScene)
    values, shares = {}, {}
    for frame, seen in zip(choice.inputs, input_views(scene), strict=True):
        rgb = scene.read(frame, "rgb").rgb
        # What they lack has been said by now.
        assert rgb is not None
        assert frame.c2w is not None
        assert frame.K is not None
        shown, given = View(frame.c2w, frame.K), View(seen.c2w, seen.K)
        value, share = warp_psnr(rgb.float() / 255, shown, seen.rgb, seen.depth, given)
        shares[frame.name] = share
        if math.isfinite(value):
            values[frame.name] = value
        else:
            result.skipped.append(f"{WARP}: {frame.name} shows nothing that its input frame does, or is equal to it")
    result.values[WARP] = values
    result.report["explained"] = sum(shares.values()) / max(len(shares), 1)
