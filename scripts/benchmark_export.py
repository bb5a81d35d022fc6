"""Measure exported instants: the file read back and drawn as splat viewers do, against the layers and the clip.

    python scripts/benchmark_export.py outputs/dog outputs/shrine_path --markdown docs/benchmarks_export.md

Every run is looked at in all its held-out frames, some others, and half-way between frames: from the clip's own refined
camera, and from cameras that circle the middle of the view by 8 and by 15 degrees to every side. Beside it stands what
the same Gaussians show without layers when none is left out ("plain").
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from _benchmark.columns import EXPORT_SECTIONS
from _benchmark.exported import measure_export
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables
from show_views import find_config


@dataclass
class ExportBenchmark:
    """Measure finished runs."""

    runs: tyro.conf.Positional[list[Path]]
    """Each run's config.yml, or a folder, whose newest run is taken."""
    frames: int = 9
    """Frames looked at in every run, and a third as many times between frames."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other runs, and write both."""


def measure(run: Path, frames: int, work: Path) -> Row:
    """All measurements of one run.

    Raises:
        RunError: It cannot be loaded.
    """
    config = find_config(run)
    return {"clip": clip_of(config), **measure_export(config, frames, work)}


def clip_of(config: Path) -> str:
    """Name of the clip that a run's config.yml belongs to."""
    # outputs / clip / method / time / config.yml, as ns-train lays runs out.
    return config.absolute().parents[2].name


def header(options: ExportBenchmark) -> dict[str, Any]:
    """What was measured how, and where."""
    return {
        "runs": "ns-train neoverse, 25 frames, seconds 2-5 (demo: the whole clip), every 8th frame held out",
        "protocol": f"held-out frames and others, {options.frames} in all, and {max(options.frames // 3, 1)} times "
        "half-way between frames; dB of the file drawn flat against the layers drawn by us, mean (worst)",
        "machine": describe_machine(),
    }


def run(options: ExportBenchmark, work: Path) -> int:
    """Measure every run, write after each, print the tables at the end; returns the process's exit code."""
    jobs: list[Job] = [
        (clip_of(find_config(path)), lambda path=path: measure(path, options.frames, work)) for path in options.runs
    ]
    report = tables(header(options), EXPORT_SECTIONS, "Exported instants")
    return measure_all(jobs, report, options.json, options.markdown, options.add)


def main() -> int:
    options = tyro.cli(ExportBenchmark, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-export-")


if __name__ == "__main__":
    sys.exit(main())
