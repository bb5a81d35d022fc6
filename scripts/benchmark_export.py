"""Measure exported instants: the file read back and drawn as splat viewers do, against the layers and the clip.

    python scripts/benchmark_export.py outputs/dog outputs/shrine_path --markdown docs/benchmarks_export.md

Every run is looked at in all its held-out frames, some others, and half-way between frames: from the clip's own refined
camera, and from cameras that circle the middle of the view by 8 and by 15 degrees to every side. Beside it stands what
the same Gaussians show without layers when none is left out ("plain").
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from _benchmark.columns import EXPORT_SECTIONS
from _benchmark.exported import measure_export
from _benchmark.report import Row, describe_machine, rows_of_others, to_markdown, write_report
from show_views import find_config

from neoverse_ns.console import CONSOLE, progress, say, warn
from neoverse_ns.errors import NeoVerseError


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
    """All measurements of one run; an error that it causes ends up in the row."""
    config = find_config(run)
    # outputs / clip / method / time / config.yml, as ns-train lays runs out.
    row: Row = {"clip": config.absolute().parents[2].name}
    try:
        row |= measure_export(config, frames, work)
    except NeoVerseError as error:
        row["error"] = str(error)
        warn(f"{config}: {error}")
    return row


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
    names = [find_config(path).absolute().parents[2].name for path in options.runs]
    rows = rows_of_others(options.json, names) if options.add and options.json is not None else []
    facts = header(options)
    with progress("benchmark", len(options.runs)) as steps:
        for path, name in zip(options.runs, names, strict=True):
            say(f"benchmark: {name}")
            rows.append(measure(path, options.frames, work))
            text = to_markdown(rows, facts, EXPORT_SECTIONS, "Exported instants")
            # A long run that is cut short keeps what it has.
            write_report(rows, facts, text, options.json, options.markdown)
            steps.advance(note=name)
    CONSOLE.print(to_markdown(rows, facts, EXPORT_SECTIONS, "Exported instants"), markup=False, highlight=False)
    return 1 if any("error" in row for row in rows) else 0


def main() -> int:
    options = tyro.cli(ExportBenchmark, description=__doc__)
    try:
        with tempfile.TemporaryDirectory(prefix="neoverse-export-") as work:
            return run(options, Path(work))
    except NeoVerseError as error:
        warn(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
