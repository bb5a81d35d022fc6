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
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import tyro
from _benchmark.path import path_cameras, path_scene, time_long_clip, time_path
from _benchmark.raster_speed import drawing_speed, pixel_grid_scene
from _benchmark.report import describe_machine
from rich.table import Table

from neoverse_ns.console import CONSOLE, progress
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
            scene = pixel_grid_scene(count, width, height, (low, high))
            row = drawing_speed(scene, width, height, backend, options.device, options.repeats)
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
