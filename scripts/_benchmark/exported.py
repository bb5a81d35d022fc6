"""What an exported instant shows in a splat viewer, against the layers it was made of and against the clip."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from plyfile import PlyData
from torch import Tensor

from neoverse_ns.export.gaussian_ply import write_instant
from neoverse_ns.export.instant import around, middle_depth
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.metrics.image import psnr
from neoverse_ns.plugin.run import open_run
from neoverse_ns.plugin.run_source import export_scene
from neoverse_ns.rasterize.drawing import draw_instant
from neoverse_ns.rasterize.layers import draw_layers

SIDES = ("own", "right", "left", "down", "up")
"""Cameras of :func:`neoverse_ns.export.instant.around`, in its order."""
NEAR, FAR = 8.0, 15.0
"""Degrees aside. The choice of what is exported looks from the nearer ones, too; from the farther ones it does not."""
MOST = 100.0
"""Decibels that pictures count for which agree better or exactly."""

Picture = Float[Tensor, "h w 3"]


@dataclass(frozen=True)
class Instants:
    """When a run is looked at.

    Attributes:
        frames: Sampled frames, the held-out ones among them.
        between: Normalised times half-way between two frames.
    """

    frames: list[int]
    between: list[float]


def choose_instants(times: Float[Tensor, " n"], held_out: list[int], most: int) -> Instants:
    """All held-out frames, others spread over the clip up to `most` in all, and a third as many times between."""
    count = len(times)
    rest = [frame for frame in range(count) if frame not in held_out]
    wanted = min(max(most - len(held_out), 1), len(rest))
    spread = [rest[i] for i in np.linspace(0, len(rest) - 1, wanted).round().astype(int)]
    gaps = np.linspace(0, count - 2, max(most // 3, 1)).round().astype(int) if count > 1 else []
    return Instants(sorted({*spread, *held_out}), [0.5 * float(times[g] + times[g + 1]) for g in sorted(set(gaps))])


def measure_export(config: Path, most: int, work: Path) -> dict[str, Any]:
    """A run's exported instants as files, read back and drawn.

    Args:
        config: The run's config.yml.
        most: Frames to look at; see :func:`choose_instants`.
        work: Where the files go; each takes the place of the one before.

    Returns:
        `export` and `plain` (everything alive without layers), each with dB against the layers by view (`mean`,
        `worst`), dB against held-out frames, and Gaussians; `layers` likewise against held-out frames; `seconds` of an
        export.

    Raises:
        RunError: The run cannot be loaded.
    """
    run = open_run(config)
    model, source = run.loaded()
    scene = export_scene(model, source)
    instants = choose_instants(scene.times, run.split.held_out, most)
    values: dict[str, list[float]] = defaultdict(list)
    moments = [(float(scene.times[frame]), frame) for frame in instants.frames]
    for moment, frame in moments + [(moment, None) for moment in instants.between]:
        _compare(scene, moment, values, work, frame is None)
        if frame in run.split.held_out:
            truth = run.clip.frames[frame].float() / 255
            for name, picture in _own_pictures(scene, moment, work).items():
                exposed = model.optimisation.exposure.apply_to(picture, frame)
                values[f"{name} truth"].append(psnr(exposed.clamp(0, 1), truth))
    table: dict[str, Any] = {}
    for key, numbers in values.items():
        name, _, what = key.partition(" ")
        worst = max if what in ("gaussians", "seconds") else min
        table.setdefault(name, {})[what] = {"mean": statistics.fmean(numbers), "worst": worst(numbers)}
    return table


def read_splats(path: Path) -> GaussiansAtTime:
    """A PLY as a splat viewer understands it."""
    vertex = PlyData.read(str(path))["vertex"]

    def columns(*names: str) -> Tensor:
        return torch.from_numpy(np.stack([np.asarray(vertex[name], np.float32) for name in names], axis=-1))

    return GaussiansAtTime(
        means=columns("x", "y", "z"),
        quats=columns(*(f"rot_{i}" for i in range(4))),
        scales=columns(*(f"scale_{i}" for i in range(3))).exp(),
        opacities=torch.sigmoid(columns("opacity"))[:, 0],
        sh=columns(*(f"f_dc_{i}" for i in range(3)))[:, None],
        index=torch.arange(len(vertex)),
    )


@torch.no_grad()
def _compare(scene: ExportScene, moment: float, values: dict[str, list[float]], work: Path, between: bool) -> None:
    """Add dB against the layers from every camera, Gaussians and seconds of one instant."""
    own = camera_at(scene.cameras, scene.times, moment)
    depth = middle_depth(draw_layers(scene.gaussians, moment, *_view(own), scene.options))
    started = time.perf_counter()
    (path,) = export_format("ply").write(scene, ExportOptions(time=moment), work)
    values["export seconds"].append(time.perf_counter() - started)
    for name, now in (("export", read_splats(path)), ("plain", _plain(scene, moment, work))):
        values[f"{name} gaussians"].append(len(now.index))
        for degrees in (NEAR, FAR):
            views = around(own, depth, degrees)
            for side, view in zip(SIDES, [views[[i]] for i in range(len(views))], strict=True):
                if side == "own" and degrees == FAR:
                    continue
                where = ("between" if between else "own") if side == "own" else f"{degrees:g} {side}"
                layered = draw_layers(scene.gaussians, moment, *_view(view), scene.options).rgb[0]
                shown = draw_instant(now, *_view(view), scene.options.rasterize_mode).rgb[0]
                agreement = min(psnr(shown.clamp(0, 1), layered.clamp(0, 1)), MOST)
                values[f"{name} {where}"].append(agreement)


@torch.no_grad()
def _own_pictures(scene: ExportScene, moment: float, work: Path) -> dict[str, Picture]:
    """What layers, the exported file and the plain one show from the clip's own camera."""
    view = _view(camera_at(scene.cameras, scene.times, moment))
    mode = scene.options.rasterize_mode
    return {
        "layers": draw_layers(scene.gaussians, moment, *view, scene.options).rgb[0],
        "export": draw_instant(read_splats(work / "gaussians.ply"), *view, mode).rgb[0],
        "plain": draw_instant(read_splats(work / "plain.ply"), *view, mode).rgb[0],
    }


def _plain(scene: ExportScene, moment: float, work: Path) -> GaussiansAtTime:
    options = scene.options
    write_instant(work / "plain.ply", at_time(scene.gaussians.flat(), moment, options.nearest_only, options.gamma))
    return read_splats(work / "plain.ply")


def _view(camera: PinholeCameras) -> tuple[Tensor, Tensor, int, int]:
    return camera.viewmats, camera.K, camera.width, camera.height
