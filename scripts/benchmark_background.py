"""Measure what stood behind what moves: the clip without its movers, against the same world rendered without them.

    python scripts/benchmark_background.py --demo-run RUN --markdown docs/benchmarks_background.md
    python scripts/benchmark_background.py --only demo:1,crossing:1,walker:0

Scenes are taken as lifted, without photometric optimisation, but for the demo's clip where a finished run of it is
given.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from _benchmark.clip_pairs import DEMO, World, reconstructed, world_named
from _benchmark.columns import Column
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.api.runs import load, shown
from neoverse_ns.applications.background.extract import Background, extract_background
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.metrics.image import psnr
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.render.pictures import to_bytes

SECTIONS = {
    "The empty world, where ever seen": (
        Column("all dB", ("all",), 2, "mean"),
        Column("where movers stood dB", ("behind",), 2, "mean"),
        Column("|difference| there, grey levels", ("difference",), 1, "mean"),
        Column("the clip as it is there dB", ("clip_behind",), 2, "mean"),
        Column("still Gaussians drawn dB", ("drawn",), 2, "mean"),
        Column("never seen, truly %", ("never",), 2, "mean"),
        Column("said %", ("said",), 2, "mean"),
        Column("seconds a frame", ("seconds",), 1),
    )
}


@dataclass
class BenchmarkBackground:
    """Measure background extraction on synthetic clips."""

    only: str = "demo,demo:1,crossing:1"
    """Synthetic clips, separated by commas: demo, demo:SEED, or CASE:SEED of the battery of movers."""
    demo_run: Path | None = None
    """A finished run of the demo's clip; without one its scene is taken as lifted."""
    frames: int = 25
    """Frames of every clip."""
    every: int = 3
    """One frame in so many is judged, from the first on."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other clips, and write both."""


def measure(name: str, options: BenchmarkBackground, work: Path) -> Row:
    """One clip.

    Raises:
        NeoVerseError: It cannot be reconstructed.
    """
    world = world_named(name, options.frames)
    if name == DEMO and options.demo_run is not None:
        scene = load(options.demo_run)
    else:
        scene = shown(reconstructed(world.frames(), work / name.replace(":", "_"), every=8))
    assert scene.source is not None
    judged = list(range(0, len(scene.times), options.every))
    started = time.perf_counter()
    made = extract_background(scene, scene.as_filmed[judged])
    row: Row = {"clip": name, "seconds": (time.perf_counter() - started) / len(judged)}
    return row | score(world, scene, made, judged)


def score(world: World, scene: ExportScene, made: Background, judged: list[int]) -> dict[str, float]:
    """All figures of the frames judged, over all their pixels together."""
    assert scene.source is not None
    frames = scene.source.clip.frames
    empty = torch.stack([world.empty(i) for i in judged])
    seen = torch.stack([world.ever_seen(i) for i in judged])
    behind = torch.stack([world.covered(i) for i in judged]) & seen
    cameras, times = scene.cameras[judged], scene.times[judged]
    drawn = torch.stack(
        [to_bytes(view.drawing.rgb[0]) for view in views_along(made.gaussians, cameras, times, scene.options)]
    )
    found = made.frames
    return {
        "all": together(found, empty, seen),
        "behind": together(found, empty, behind),
        "difference": float((found[behind].float() - empty[behind].float()).abs().mean()),
        "clip_behind": together(frames[judged], empty, behind),
        "drawn": together(drawn, empty, seen),
        "never": 100 * (1 - float(seen.double().mean())),
        "said": 100 * (1 - float(made.seen.double().mean())),
    }


def together(a: UInt8[Tensor, "n h w 3"], b: UInt8[Tensor, "n h w 3"], mask: Bool[Tensor, "n h w"]) -> float:
    """PSNR over the masked pixels of all pictures."""
    rows = a.shape[0] * a.shape[1]
    first, second = (value.reshape(rows, -1, 3).float() / 255 for value in (a, b))
    return psnr(first, second, mask.reshape(rows, -1))


def run(options: BenchmarkBackground, work: Path) -> int:
    """Measure every clip, write after each, print the table at the end; returns the process's exit code."""
    names = options.only.split(",")
    jobs: list[Job] = [(name, lambda name=name: measure(name, options, work)) for name in names]
    demo = "a finished run" if options.demo_run is not None else "as lifted"
    header: dict[str, Any] = {
        "clips": f"{options.frames} frames; demo at 384x224 ({demo}), the battery of movers at 320x176 (as lifted)",
        "judged": f"one frame in {options.every}",
        "ever seen": "the true point behind a pixel is truly visible in at least one frame",
        "machine": describe_machine(),
    }
    return measure_all(
        jobs, tables(header, SECTIONS, "Background extraction"), options.json, options.markdown, options.add
    )


def main() -> int:
    options = tyro.cli(BenchmarkBackground, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-background-")


if __name__ == "__main__":
    sys.exit(main())
