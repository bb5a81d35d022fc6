"""Check the network against published numbers, and measure how fast it is and what memory it takes.

    python scripts/benchmark_network.py --fixtures ../shared/fixtures --markdown docs/benchmarks_network.md
    python scripts/benchmark_network.py --no-small --no-selection

Errors are the largest of each array, relative to the array's largest magnitude. Times mean something on an idle machine
only; the load average is printed beside them. The full-size network is timed on a GPU by check_gpu.py.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from _benchmark.network_fixtures import CASES, fixture_errors
from _benchmark.network_speed import (
    SMALL,
    best_and_median,
    keyframe_gaussians,
    meta_build,
    network_seconds,
    random_network,
    top_operations,
    transition_milliseconds,
)
from _benchmark.report import describe_machine

from neoverse_ns.console import CONSOLE, progress


@dataclass
class NetworkBenchmark:
    """Errors, seconds and memory of the feed-forward reconstructor."""

    fixtures: Path | None = None
    """Folder with the published code's numbers; without it their section is left out."""
    meta: bool = True
    """Build the released network on the meta device."""
    small: bool = True
    """Run a small network on the CPU."""
    small_frames: int = 8
    """Frames of that run."""
    small_size: str = "280x168"
    """Their size, width x height."""
    selection: bool = True
    """Select and move the Gaussians of a long clip."""
    keyframes: int = 21
    """Keyframes of that clip."""
    size: str = "560x336"
    """Size of its frames."""
    repeats: int = 3
    """Timed runs of each, after one that is not; of the selection, ten times as many."""
    threads: int | None = None
    """CPU threads; by default torch's choice."""
    markdown: Path | None = None
    """Where to write the report."""


def errors_section(folder: Path) -> list[str]:
    """Error of every array; the Gaussians of all keyframes in one row per field."""
    worst: dict[str, dict[str, float]] = {}
    with progress("comparing with published numbers", len(CASES)) as steps:
        for case in CASES:
            for key, error in fixture_errors(folder, case):
                name = "gaussians: " + key.split(".")[2] if key.startswith("gaussians.") else key
                row = worst.setdefault(name, {})
                row[case] = max(row.get(case, 0.0), error)
            steps.advance()
    rows = [[name, *(f"{row[case]:.1e}" if case in row else "" for case in CASES)] for name, row in worst.items()]
    largest = max(error for row in worst.values() for error in row.values())
    return [
        "## Errors against the published code",
        f"Float32 on a CPU; largest of all: {largest:.1e}.",
        "",
        *table(["array", *CASES], rows),
    ]


def meta_section() -> list[str]:
    """Building the released network without weights."""
    seconds, peak = meta_build()
    memory = "" if peak is None else f", peak memory of the process {peak:.2f} GB (most of it torch itself)"
    return ["## Building the released network on the meta device", f"{seconds:.2f} s{memory}."]


def small_section(options: NetworkBenchmark) -> list[str]:
    """The small network on the CPU, with its most expensive operations."""
    width, height = (int(side) for side in options.small_size.split("x"))
    network = random_network(SMALL, "cpu")
    best, median = best_and_median(network_seconds(network, options.small_frames, height, width, options.repeats))
    rows = [
        [f"`{name}`", f"{share:.0f} %"]
        for name, share in top_operations(network, options.small_frames, height, width, 8)
    ]
    return [
        f"## Small network, {options.small_frames} frames of {options.small_size}, CPU",
        f"ViT-S, trunk of 4, all heads: best {best:.2f} s, median {median:.2f} s of {options.repeats}.",
        "",
        *table(["operation", "processor time"], rows),
    ]


def selection_section(options: NetworkBenchmark) -> list[str]:
    """Selection and transition of a clip's Gaussians at one time."""
    width, height = (int(side) for side in options.size.split("x"))
    gaussians = keyframe_gaussians(options.keyframes, height, width)
    repeats = 10 * options.repeats
    wall, processor = (best_and_median(values) for values in transition_milliseconds(gaussians, repeats))
    return [
        f"## Selection and transition, {options.keyframes} keyframes of {options.size}",
        f"{len(gaussians):,} Gaussians, two keyframes of them alive: best {wall[0]:.0f} ms, median {wall[1]:.0f} ms of "
        f"{repeats} times; processor time {processor[0]:.0f} and {processor[1]:.0f} ms.",
    ]


def table(heads: list[str], rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def run(options: NetworkBenchmark) -> list[str]:
    """Measure what was asked for, print it as it comes, and write the report."""
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    machine = describe_machine()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        "# Network",
        f"`python scripts/benchmark_network.py`, {machine['date'][:10]}: {machine['processor']}, {machine['cores']} "
        f"cores, {torch.get_num_threads()} threads, GPU: {machine['gpu'] or 'none'}, torch "
        f"{machine['versions']['torch']}, Python {machine['python']}. Load average at the start: {load}.",
    ]
    CONSOLE.print("\n".join(lines), highlight=False)
    sections = []
    # First, while the process is still small.
    if options.meta:
        sections.append(meta_section)
    if options.fixtures is not None:
        folder = options.fixtures
        sections.append(lambda: errors_section(folder))
    if options.selection:
        sections.append(lambda: selection_section(options))
    if options.small:
        sections.append(lambda: small_section(options))
    for measure in sections:
        section = ["", *measure()]
        CONSOLE.print("\n".join(section), highlight=False)
        lines += section
    if options.markdown is not None:
        options.markdown.write_text("\n".join(lines) + "\n", "utf8")
    return lines


if __name__ == "__main__":
    run(tyro.cli(NetworkBenchmark, description=__doc__))
