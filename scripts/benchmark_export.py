"""Measure exports: files read back by their formats' own readers and drawn, against the layers and the clip.

    python scripts/benchmark_export.py outputs/dog outputs/demo --markdown docs/benchmarks_export.md

Every run is looked at in its first and last frame, all held-out ones, and half-way between frames where a format shows
those: from the clip's own refined camera, and from cameras that circle the middle of the view by 8 degrees to every
side.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from _benchmark.columns import EXPORT_SECTIONS
from _benchmark.exported import KINDS, ExportedRun
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables
from show_views import find_config


@dataclass
class ExportBenchmark:
    """Measure finished runs."""

    runs: tyro.conf.Positional[list[Path]]
    """Each run's config.yml, or a folder, whose newest run is taken."""
    formats: tuple[str, ...] = tuple(KINDS)
    """Formats measured."""
    frames: int = 5
    """Frames looked at in every run, and one time less between frames."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other runs, and write both."""


def clip_of(config: Path) -> str:
    """Name of the clip that a run's config.yml belongs to."""
    # outputs / clip / method / time / config.yml, as ns-train lays runs out.
    return config.absolute().parents[2].name


def header(options: ExportBenchmark) -> dict[str, Any]:
    """What was measured how, and where."""
    return {
        "runs": "ns-train neoverse, 25 frames, seconds 2-5 (demo: the whole clip), every 8th frame held out",
        "protocol": f"{options.frames} frames, held-out ones among them, and {options.frames - 1} times half-way "
        "between; dB of what the file shows against the layers drawn by us; aside: right, left, down, up of all",
        "seconds": "of all cores together, to decide what shows and to write: of one instant (ply, glb, spz), of the "
        "whole clip (others)",
        "machine": describe_machine(),
    }


def run(options: ExportBenchmark, work: Path) -> int:
    """Measure every run, write after each, print the tables at the end; returns the process's exit code."""
    jobs: list[Job] = []
    for path in options.runs:
        config = find_config(path)
        exported = ExportedRun(config, options.frames, work / str(len(jobs)))
        jobs += [(f"{clip_of(config)}, {name}", _job(exported, clip_of(config), name)) for name in options.formats]
    report = tables(header(options), EXPORT_SECTIONS, "Exports")
    return measure_all(jobs, report, options.json, options.markdown, options.add)


def _job(exported: ExportedRun, clip: str, name: str) -> Callable[[], Row]:
    return lambda: {"clip": f"{clip}, {name}", "export": exported.measure(name)[name]}


def main() -> int:
    options = tyro.cli(ExportBenchmark, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-export-")


if __name__ == "__main__":
    sys.exit(main())
