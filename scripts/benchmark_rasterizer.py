"""Time one picture, forward and forward with backward, for several image sizes, scenes and backends; then a path.

    python scripts/benchmark_rasterizer.py
    python scripts/benchmark_rasterizer.py --backends cpu torch --counts 50000 150000 --json rasterizer.json
    python scripts/benchmark_rasterizer.py --counts --path-frames 81 --path-size 384x224

The scene is what a per-pixel predictor gives: Gaussians on a jittered pixel grid a little larger than the picture, at
random depths and orientations. The path is drawn through a 4D scene of a million Gaussians as ns-render draws one:
selection by time, transition, the keyframes' Gaussians, the background behind them. Best and median tell a busy machine
from a slow one; the load average is printed too.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from _benchmark.path import path_cameras, path_scene, time_long_clip, time_path
from _benchmark.report import describe_machine
from rich.table import Table
from torch import Tensor

from neoverse_ns.console import CONSOLE, progress
from neoverse_ns.rasterize import rasterize
from neoverse_ns.rasterize.cpu.build import KernelBuildError, find_compiler


@dataclass
class RasterizerBenchmark:
    """Time the rasteriser on synthetic scenes."""

    counts: tuple[int, ...] = (150_000,)
    """Numbers of Gaussians."""
    sizes: tuple[str, ...] = ("320x192", "560x336")
    """Image sizes, width x height in pixels."""
    sigmas: tuple[str, ...] = ("1-3", "0.5-1.5")
    """Ranges of the Gaussians' projected standard deviations in pixels."""
    backends: tuple[str, ...] = ("auto",)
    """Backends of rasterize() to time."""
    device: str = "cpu"
    """Where the tensors lie."""
    path_frames: int = 81
    """Frames of the path; 0 leaves it out."""
    path_size: str = "384x224"
    """Image size of the path, and of the keyframes that its scene was lifted from."""
    keyframes: tuple[int, ...] = (50, 800)
    """Keyframes of clips of which one frame is drawn, at a size of 96x56, with the same two keyframes alive."""
    repeats: int = 7
    """Timed runs of each, after one that is not."""
    threads: int | None = None
    """CPU threads; by default torch's choice."""
    json: Path | None = None
    """Where to write every number."""


def pixel_grid_scene(count: int, width: int, height: int, sigma: tuple[float, float]) -> dict[str, Tensor]:
    """The leaves that rasterize() takes and `Ks`, float32, the same at every call."""
    random = torch.Generator().manual_seed(0)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=random)

    focal = 0.8 * width
    columns = math.ceil(math.sqrt(count * width / height))
    cell = torch.stack([torch.arange(count) % columns, torch.arange(count) // columns], dim=-1)
    grid = torch.tensor([columns, math.ceil(count / columns)])
    pixels = ((cell + uniform(0, 1, count, 2)) / grid * 1.06 - 0.03) * torch.tensor([width, height])
    depths = uniform(1, 5, count)
    centre = torch.tensor([width / 2, height / 2])
    return {
        "means": torch.cat([(pixels - centre) / focal * depths[:, None], depths[:, None]], dim=-1),
        "quats": torch.randn(count, 4, generator=random),
        "scales": uniform(*sigma, count, 3) * depths[:, None] / focal,
        "opacities": uniform(0.1, 1, count),
        "colors": uniform(0, 1, count, 3),
        "viewmats": torch.eye(4)[None],
        "Ks": torch.tensor([[[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]]),
    }


def milliseconds(action: Callable[[], None], repeats: int, device: str) -> tuple[float, float]:
    """Best and median duration."""
    taken = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        action()
        if device != "cpu":
            torch.cuda.synchronize()
        taken.append((time.perf_counter() - start) * 1e3)
    ordered = sorted(taken[1:])
    return ordered[0], ordered[len(ordered) // 2]


def measure(
    scene: dict[str, Tensor], width: int, height: int, backend: str, options: RasterizerBenchmark
) -> dict[str, float | str]:
    """Forward, and forward with backward, RGB and expected depth."""
    leaves: dict[str, Any] = {
        name: value.to(options.device).requires_grad_(name != "Ks") for name, value in scene.items()
    }

    def forward() -> None:
        with torch.no_grad():
            rasterize(**leaves, width=width, height=height, backend=backend)

    def both() -> None:
        for leaf in leaves.values():
            leaf.grad = None
        image, alpha, _ = rasterize(**leaves, width=width, height=height, backend=backend)
        (image.sum() + alpha.sum()).backward()

    with torch.no_grad():
        drawn_by = rasterize(**leaves, width=width, height=height, backend=backend)[2]["backend"]
    best, median = milliseconds(forward, options.repeats, options.device)
    best_both, median_both = milliseconds(both, options.repeats, options.device)
    return {
        "backend": drawn_by,
        "forward_best_ms": best,
        "forward_median_ms": median,
        "forward_backward_best_ms": best_both,
        "forward_backward_median_ms": median_both,
    }


def compiler_name() -> str:
    """First line of the compiler's version, or that there is none."""
    try:
        return find_compiler()[1].splitlines()[0]
    except KernelBuildError:
        return "none"


def run(options: RasterizerBenchmark) -> None:
    """Print the table and write the JSON file."""
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    machine = describe_machine() | {
        "compiler": compiler_name(),
        "threads": torch.get_num_threads(),
        "load": list(os.getloadavg()),
    }
    cases = [
        (count, size, sigma, backend)
        for backend in options.backends
        for count in options.counts
        for size in options.sizes
        for sigma in options.sigmas
    ]
    table = Table("backend", "Gaussians", "image", "sigma (px)", "forward (ms)", "forward + backward (ms)")
    rows = []
    with progress("timing the rasteriser", len(cases)) as steps:
        for count, size, sigma, backend in cases:
            width, height = (int(side) for side in size.split("x"))
            low, high = (float(value) for value in sigma.split("-"))
            row = measure(pixel_grid_scene(count, width, height, (low, high)), width, height, backend, options)
            rows.append({"count": count, "size": size, "sigma": sigma, **row})
            cells = [
                f"{row[f'{name}_best_ms']:.0f} ({row[f'{name}_median_ms']:.0f})"
                for name in ("forward", "forward_backward")
            ]
            table.add_row(str(row["backend"]), f"{count:,}", size, sigma, *cells)
            steps.advance()
    if rows:
        CONSOLE.print(table)
    CONSOLE.print(f"Best (median) of {options.repeats}. {machine}", highlight=False)
    path = time_path_of(options) if options.path_frames > 0 else None
    for keyframes in options.keyframes:
        CONSOLE.print(f"One frame of {keyframes} keyframes: {time_long_clip(keyframes, 96, 56):.2f} ms (median)")
    if options.json is not None:
        options.json.write_text(json.dumps({"machine": machine, "rows": rows, "path": path}, indent=2))


def time_path_of(options: RasterizerBenchmark) -> dict[str, float]:
    """Draw the path, and print what it took."""
    width, height = (int(side) for side in options.path_size.split("x"))
    timing = time_path(path_scene(width, height), path_cameras(options.path_frames, width, height))
    CONSOLE.print(
        f"Path of {timing.frames} frames at {options.path_size}, {timing.gaussians:,} Gaussians, {timing.alive:,.0f} "
        f"alive at a time: {timing.total_s:.2f} s, {timing.real_time:.2f} times real time, {timing.cpu_s:.2f} s of "
        f"processor time. Median of a frame "
        f"{timing.frame_ms:.1f} ms, {timing.transition_ms:.1f} ms of them for selection and transition.",
        highlight=False,
    )
    return asdict(timing)


if __name__ == "__main__":
    run(tyro.cli(RasterizerBenchmark, description=__doc__))
