"""Measure exported pages: what a browser draws of them, against the layers and the clip.

    python scripts/benchmark_page.py outputs/demo --markdown docs/benchmarks_page.md

The system's Chromium draws with software here, which says nothing of speed with a graphics card.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from _benchmark.page import PAGE_SECTIONS, measure_page
from _benchmark.report import describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables
from show_views import find_config


@dataclass
class PageBenchmark:
    """Measure the pages of finished runs."""

    runs: tyro.conf.Positional[list[Path]]
    """Each run's config.yml, or a folder, whose newest run is taken."""
    times: int = 5
    """Frames looked at in every run beside the held-out ones, and moments between frames."""
    max_gaussians: int | None = None
    """Keep no more in a page."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""


def run(options: PageBenchmark, work: Path) -> int:
    """Measure every run, write after each, print the tables at the end; returns the process's exit code."""

    def job(path: Path) -> Job:
        config = find_config(path)
        # outputs / clip / method / time / config.yml, as ns-train lays runs out.
        name = config.absolute().parents[2].name
        return name, lambda: {"clip": name, **measure_page(config, options.times, work, options.max_gaussians)}

    header: dict[str, Any] = {
        "protocol": f"{options.times} frames and all held-out ones, {options.times} moments between frames; drawn in "
        "headless Chromium by software WebGL2; dB against the layers drawn by us, mean (worst)",
        "machine": describe_machine(),
    }
    report = tables(header, PAGE_SECTIONS, "The exported page")
    return measure_all([job(path) for path in options.runs], report, options.json, options.markdown)


def main() -> int:
    options = tyro.cli(PageBenchmark, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-page-")


if __name__ == "__main__":
    sys.exit(main())
