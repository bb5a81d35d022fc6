"""Measure how fast clips are loaded for training, and how far that scales; and what a training on a cluster takes.

    python scripts/benchmark_loading.py --markdown docs/benchmarks_loading.md
    python scripts/benchmark_loading.py --rows 0 --steps 0 --steps-file step_seconds.txt

Trainings are simulated: their processes load batches and sleep as long as a step takes on an accelerator, so that it is
seen how many loaders keep it busy. Steps' seconds are estimates, or recorded ones, a number a line (`--steps-file`).
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tyro
from _benchmark.cluster import Cluster, Data, generator_lines, reconstructor_lines
from _benchmark.loading import (
    FRAMES,
    Loading,
    frame_milliseconds,
    make_clips,
    manifest_figures,
    sampler_figures,
    simulate,
    sources,
)
from _benchmark.report import describe_machine

from neoverse_ns.console import say
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.data.sources import ClipSource


@dataclass
class BenchmarkLoading:
    """Measure loading for training."""

    clips: int = 2
    """Worlds that are rendered and written as files."""
    size: tuple[int, int] = (960, 540)
    """Width and height of their frames."""
    batches: int = 12
    """That are made to measure what a frame costs."""
    step_seconds: tuple[float, ...] = (1.0, 2.0)
    """Of a step, in turn: about one second on an H100, two on an A800. Each is a simulated training."""
    steps_file: Path | None = None
    """Recorded seconds, a number a line, instead."""
    run_steps: int = 20
    """Steps of each simulated training."""
    workers: tuple[int, ...] = (0, 1, 2, 4)
    """Processes that load for one that trains."""
    ranks: tuple[int, ...] = (2, 4)
    """Processes that train together, with one that loads for each."""
    recorded_seconds: float = 0.75
    """Of a batch, for loaders that only take as long: so many more of them can be tried than there are cores."""
    recorded_workers: tuple[int, ...] = (1, 2, 4, 8)
    """Of such loaders, for one process and for four."""
    rows: int = 1_000_000
    """Of a manifest; 0 leaves it out."""
    steps: int = 10_000
    """Of the sampler alone; 0 leaves it out."""
    markdown: Path | None = None
    """Where to write the tables; they are printed as well."""


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A table of Markdown."""
    return ["", *(f"| {' | '.join(cells)} |" for cells in (heads, ("---",) * len(heads), *rows)), ""]


def reading(found: dict[str, ClipSource], options: BenchmarkLoading) -> tuple[list[str], float]:
    """What a frame costs; and seconds a batch out of shards."""
    rows, seconds = [], 0.0
    for name, source in found.items():
        frame, batch = frame_milliseconds(source, PlanConfig(), options.batches)
        rows.append((name, f"{frame:.0f}", f"{batch:.0f}"))
        seconds = batch / 1e3
    width, height = options.size
    text = f"Clips of {FRAMES} frames of {width}x{height} (JPEG, 16-bit depth, instances), samples as the paper's."
    return ["## What a frame costs", text, *table(("from", "ms a frame", "ms a batch"), rows)], seconds


def trainings(source: ClipSource, options: BenchmarkLoading, cost: float) -> list[str]:
    """Simulated trainings: waiting, beside what the cost of a batch lets expect."""
    cores = len(os.sched_getaffinity(0))
    recorded = options.steps_file.read_text().split() if options.steps_file else []
    runs = [list(map(float, recorded))] if recorded else [[seconds] for seconds in options.step_seconds]
    real, pretended = Loading(source), Loading(source, options.recorded_seconds)
    tried = [(real, 1, w) for w in options.workers] + [(real, r, 1) for r in options.ranks]
    tried += [(pretended, r, w) for r in (1, 4) for w in options.recorded_workers]
    rows = []
    for seconds in runs:
        for loading, ranks, workers in tried:
            run = simulate(loading, ranks, workers, seconds, options.run_steps)
            batch = loading.seconds or cost
            at_once = ranks * workers if loading.seconds else min(ranks * workers, cores)
            step = max(run.step, batch * ranks / at_once) if workers else run.step + batch
            kind = "recorded" if loading.seconds else "clips"
            shares = f"{run.waiting:.0%}", f"{1 - run.step / step:.0%}"
            rows.append((f"{run.step:.2f}", kind, f"{ranks}", f"{workers}", *shares, f"{run.rate:.2f}"))
            say(" ".join(rows[-1]))
    heads = ("seconds a step", "loads", "processes", "loaders each", "waiting", "expected", "steps/s")
    note = (
        f"Loaders read `clips`, at {cost:.2f} s of one core a batch, or only take as long as was `recorded`, "
        f"{options.recorded_seconds:.2f} s, and hand on {pretended.megabytes} MB. `expected` is what follows: loaders "
        f"add up, those of clips until the {cores} cores are full. Frames and sizes differ from step to step."
    )
    return ["## Simulated trainings", note, *table(heads, rows)]


def scale(options: BenchmarkLoading, work: Path) -> list[str]:
    """Manifests and the sampler."""
    rows = []
    if options.rows:
        found = manifest_figures(work, options.rows)
        rows += [
            (f"manifest of {options.rows:,} rows, {found['bytes'] / 1e6:.0f} MB: written", f"{found['written']:.1f} s"),
            ("a split of it found, once", f"{found['split']:.1f} s"),
            ("opened", f"{1e3 * found['opened']:.1f} ms"),
            ("a row read", f"{found['row']:.0f} µs"),
            ("memory, 20,000 rows read", f"{found['megabytes']:.0f} MB more"),
        ]
    if options.steps:
        sizes, weights = [371_000, 37_000, 500], [0.6, 0.39, 0.01]
        found = sampler_figures(options.steps, 32, sizes, weights)
        rows += [
            (f"sampler, {options.steps:,} steps of 32 processes", f"{found['samples']:,.0f} samples"),
            ("a sample chosen", f"{found['microseconds']:.0f} µs"),
            (
                f"clips that came twice, or not at all, in {found['epochs']:.0f} whole epochs of three sets",
                f"{found['repeats']:.0f}, {found['missed']:.0f}",
            ),
        ]
    return ["## Scale without size", *table(("what", "measured"), rows)] if rows else []


def arithmetic() -> list[str]:
    """Storage, decoding and days of both halves."""
    lines = ["## What a training of the paper's size takes", "By the arithmetic of `scripts/_benchmark/cluster.py`."]
    data = Data()
    clusters = [Cluster("A800"), Cluster("H100", step_seconds=1.0, generator_seconds=9.0)]
    for title, of in (("Reconstructor", reconstructor_lines), ("Control branch", generator_lines)):
        columns = [list(of(cluster, data)) for cluster in clusters]
        rows = [(first[0], first[1], second[1]) for first, second in zip(*columns, strict=True)]
        lines += ["", f"### {title}", *table((" ", *(f"{c.nodes} x {c.gpus} {c.name}" for c in clusters)), rows)]
    return lines


def main(options: BenchmarkLoading) -> None:
    lines = ["# Loading for training", ""]
    machine = describe_machine() | {"load average": f"{os.getloadavg()[0]:.1f} when it began"}
    lines += [f"- {name}: {machine[name]}" for name in ("date", "processor", "cores", "load average")]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        make_clips(work, options.clips, *options.size)
        found = sources(work)
        text, cost = reading(found, options)
        lines += ["", *text, *trainings(found["shards"], options, cost), *scale(options, work), *arithmetic()]
    report = "\n".join(lines).replace("\n\n\n", "\n\n").rstrip() + "\n"
    print(report)
    if options.markdown is not None:
        options.markdown.write_text(report, "utf8")


if __name__ == "__main__":
    main(tyro.cli(BenchmarkLoading))
