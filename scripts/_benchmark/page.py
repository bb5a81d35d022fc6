"""What an exported page shows in a browser, against the layers it was made of and against the clip."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from _benchmark.columns import Column
from _benchmark.page_browser import OpenPage, chromium
from neoverse_ns.export.instant import around, middle_depth
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.metrics.image import psnr
from neoverse_ns.plugin.run import open_run
from neoverse_ns.plugin.run_source import export_scene
from neoverse_ns.rasterize.layers import draw_layers

SIDES = ("own", "right", "left", "down", "up")
"""Cameras of :func:`neoverse_ns.export.instant.around`, in its order, 8 degrees aside."""


def _columns(where: str, title: str) -> tuple[Column, Column]:
    return (
        Column(title, ("agreement", where, "mean"), 1, "mean"),
        Column("worst", ("agreement", where, "worst"), 1),
    )


PAGE_SECTIONS = {
    "dB against the layers": (
        *_columns("own", "frames"),
        *_columns("between", "between frames"),
        *(column for side in SIDES[1:] for column in _columns(side, f"8° {side}")),
    ),
    "Held-out frames, dB against the clip": (
        Column("layers", ("truth", "layers"), 2, "mean"),
        Column("page", ("truth", "page"), 2, "mean"),
    ),
    "Size and time": (
        Column("Gaussians", ("gaussians",), 0, "mean"),
        Column("MB", ("megabytes",), 1, "mean"),
        Column("s to write", ("write_seconds",), 1, "mean"),
        Column("s to open", ("open_seconds",), 1, "mean"),
        Column("ms to sort", ("sort_milliseconds",), 0, "mean"),
    ),
}
"""The tables of scripts/benchmark_page.py."""


def measure_page(config: Path, count: int, work: Path, max_gaussians: int | None = None) -> dict[str, Any]:
    """A run's page, opened and drawn.

    Args:
        config: The run's config.yml.
        count: Frames looked at, the held-out ones in any case, and moments between frames.
        work: Where the page goes.
        max_gaussians: See :class:`neoverse_ns.export.options.ExportOptions`.

    Raises:
        RunError: The run cannot be loaded, or there is no browser.
    """
    run = open_run(config)
    model, source = run.loaded()
    scene = export_scene(model, source)
    started = time.perf_counter()
    (path,) = export_format("html").write(scene, ExportOptions(max_gaussians=max_gaussians), work)
    row: dict[str, Any] = {"write_seconds": time.perf_counter() - started, "megabytes": path.stat().st_size / 1e6}
    with chromium() as browser:
        started = time.perf_counter()
        page = OpenPage(browser, path)
        row["gaussians"] = page.run("page.stop(); return page.header.blocks.reduce((sum, b) => sum + b.count, 0)")
        row["open_seconds"] = time.perf_counter() - started
        row["sort_milliseconds"] = page.run(
            "const times = []; for (let i = 0; i < 5; i++) { const t = performance.now();"
            "await page.sort(0.1 * i + 0.3); times.push(performance.now() - t); }"
            "return times.sort((a, b) => a - b)[2]"
        )
        row["agreement"] = agreement(scene, page, run.split.held_out, count)
        truths = defaultdict(list)
        for frame in run.split.held_out:
            moment = float(scene.times[frame])
            own = camera_at(scene.cameras, scene.times, moment)
            for name, picture in (("layers", layered(scene, moment, own)), ("page", page.draw(moment, own))):
                exposed = model.optimisation.exposure.apply_to(picture, frame).clamp(0, 1)
                truths[name].append(psnr(exposed, run.clip.frames[frame].float() / 255))
        row["truth"] = {name: statistics.fmean(values) for name, values in truths.items()}
    return row


def agreement(scene: ExportScene, page: OpenPage, held_out: list[int], count: int) -> dict[str, dict[str, float]]:
    """dB by view, mean and worst."""
    last = len(scene.times) - 1
    frames = sorted({*held_out, *np.linspace(0, last, min(count, last + 1)).round().astype(int).tolist()})
    moments = [(float(scene.times[frame]), True) for frame in frames]
    gaps = sorted(set(np.linspace(0, last - 1, count).round().astype(int).tolist())) if last > 0 else []
    moments += [(0.5 * float(scene.times[gap] + scene.times[gap + 1]), False) for gap in gaps]
    values: dict[str, list[float]] = defaultdict(list)
    for moment, at_frame in moments:
        own = camera_at(scene.cameras, scene.times, moment)
        drawn = draw_layers(scene.gaussians, moment, *_view(own), scene.options)
        views = around(own, middle_depth(drawn))
        for side, view in zip(SIDES, [views[[i]] for i in range(len(views))], strict=True):
            if at_frame or side == "own":
                where = side if at_frame else "between"
                values[where].append(psnr(page.draw(moment, view), layered(scene, moment, view)))
    return {where: {"mean": statistics.fmean(found), "worst": min(found)} for where, found in values.items()}


@torch.no_grad()
def layered(scene: ExportScene, moment: float, camera: PinholeCameras) -> Tensor:
    """What the layers show, [h, w, 3] within 0 to 1."""
    return draw_layers(scene.gaussians, moment, *_view(camera), scene.options).rgb[0].clamp(0, 1)


def _view(camera: PinholeCameras) -> tuple[Tensor, Tensor, int, int]:
    return camera.viewmats, camera.K, camera.width, camera.height
