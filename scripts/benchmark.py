"""Measure geometry, held-out frames and unseen views on a folder of clips, beside what needs no scene.

    python scripts/benchmark.py --clips CLIPS --markdown docs/benchmarks.md --json benchmark.json
    python scripts/benchmark.py --clips CLIPS --only street_stereo,robot --geometry-only

A clip's folder holds clip.mp4 or images/, and what is known about it (see _benchmark/clips.py). A clip that fails is
listed with its reason and does not stop the others.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from _benchmark.baselines import score_baselines
from _benchmark.clips import find_clips, load_benchmark_clip
from _benchmark.geometry import measure_geometry
from _benchmark.protocols import HELD_OUT_EVERY, geometry_protocol, held_out_protocol
from _benchmark.report import Row, describe_machine, plain, to_markdown
from _benchmark.train import TrainSettings, train_and_evaluate
from _benchmark.views import score_shift

from neoverse_ns.console import CONSOLE, progress, say, warn
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.reconstruct.split import split_frames


@dataclass
class Benchmark:
    """Measure on a folder of clips."""

    clips: Path
    """Folder of clip folders."""
    only: str | None = None
    """Names of the clips to use, separated by commas; all by default."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    geometry_only: bool = False
    """Solve cameras and depth alone, without training."""
    skip_geometry: bool = False
    """Leave out the separate solve of 16 frames."""
    frames: int = 25
    """Frames of the held-out measurement."""
    start: float = 2.0
    """First second of every video that is long enough; others start at 0."""
    duration: float = 3.0
    """Seconds used of every video."""
    width: int | None = None
    """Width of the sampled frames; by default the library's."""
    method: str = "neoverse"
    """Registered method to train."""
    seed: int = 42
    """Seed of the training."""
    work_dir: Path | None = None
    """Where runs and links to images are kept; by default a folder that is deleted at the end."""


def measure(folder: Path, options: Benchmark, work: Path) -> Row:
    """All measurements of one clip; an error the clip causes ends up in the row."""
    row: Row = {"clip": folder.name}
    try:
        if not options.skip_geometry:
            protocol = geometry_protocol(options.start, options.duration)
            sample = load_benchmark_clip(folder, protocol, work, options.width)
            row["geometry"] = {"notes": list(sample.clip.notes), **measure_geometry(sample)}
        if not options.geometry_only:
            row |= _measure_views(folder, options, work)
    except NeoVerseError as error:
        row["error"] = str(error)
        warn(f"{folder.name}: {error}")
    return row


def _measure_views(folder: Path, options: Benchmark, work: Path) -> Row:
    """Held-out frames and the unseen camera: baselines first, then the trained scene."""
    protocol = held_out_protocol(options.start, options.duration, options.frames)
    sample = load_benchmark_clip(folder, protocol, work, options.width)
    baselines = score_baselines(sample.clip, split_frames(len(sample.clip), held_out_every=HELD_OUT_EVERY))
    if sample.right_frames is not None:
        baselines["right_shift"] = score_shift(sample)
    settings = TrainSettings(method=options.method, seed=options.seed, output_dir=work / "runs")
    return {
        "source_frames": sample.clip.frame_indices.tolist(),
        "size": [sample.clip.width, sample.clip.height],
        "baselines": baselines,
        "scene": train_and_evaluate(sample, settings),
    }


def run(options: Benchmark, work: Path) -> int:
    """Measure every clip, write after each, print the tables at the end; returns the process's exit code."""
    folders = find_clips(options.clips, options.only.split(",") if options.only else None)
    header = {
        "geometry protocol": geometry_protocol(options.start, options.duration).name,
        "held-out protocol": held_out_protocol(options.start, options.duration, options.frames).name,
        "method": options.method,
        "seed": options.seed,
        "machine": describe_machine(),
    }
    rows: list[Row] = []
    with progress("benchmark", len(folders)) as steps:
        for folder in folders:
            say(f"benchmark: {folder.name}")
            rows.append(measure(folder, options, work))
            # A long run that is cut short keeps what it has.
            _write(options, header, rows)
            steps.advance(note=folder.name)
    CONSOLE.print(to_markdown(rows, header), markup=False, highlight=False)
    return 1 if any("error" in row for row in rows) else 0


def _write(options: Benchmark, header: dict[str, Any], rows: list[Row]) -> None:
    texts = {
        options.json: json.dumps(plain({"header": header, "clips": rows}), indent=1, allow_nan=False),
        options.markdown: to_markdown(rows, header),
    }
    for path, text in texts.items():
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf8")


def main() -> int:
    options = tyro.cli(Benchmark, description=__doc__)
    try:
        if options.work_dir is not None:
            return run(options, options.work_dir)
        with tempfile.TemporaryDirectory(prefix="neoverse-benchmark-") as work:
            return run(options, Path(work))
    except NeoVerseError as error:
        warn(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
