"""Measure geometry, held-out frames and unseen views on a folder of clips, beside what needs no scene.

    python scripts/benchmark.py --clips CLIPS --markdown docs/benchmarks.md --json benchmark.json
    python scripts/benchmark.py --clips CLIPS --only street_stereo,robot,demo --geometry-only
    python scripts/benchmark.py --clips CLIPS --geometry-only --geometry-frames 81 --geometry-duration 10
    python scripts/benchmark.py --clips CLIPS --geometry-only --start 6
    python scripts/benchmark.py --clips CLIPS --skip-geometry --only dog --protocols m1,m0,train

A clip's folder holds clip.mp4 or images/, and what is known about it (see clip_folder.py in
neoverse_ns/evaluation/data). A clip that fails is listed with its reason and does not stop the others. Two synthetic
clips, of which everything is known exactly, are rendered and measured as well: that of `ns-neoverse demo`, named
"demo", and its yard from a tripod, through which one small ball rolls, named "demo_still".

Moving pixels of held-out frames are those of the trained run's own masks; baselines are scored on the same ones.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from _benchmark.alias import alias_of
from _benchmark.columns import SECTIONS
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables

from neoverse_ns.console import warn
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.evaluation.data.clips.demo import SYNTHETIC
from neoverse_ns.evaluation.data.clips.folder import find_clips, load_benchmark_clip
from neoverse_ns.evaluation.data.clips.windows import ClipWindow, choose_tracking, geometry_window, held_out_window
from neoverse_ns.evaluation.judges.cameras.geometry import measure_geometry, sample_notes
from neoverse_ns.evaluation.judges.runs.second_view import score_shift
from neoverse_ns.evaluation.methods.baselines import score_baselines
from neoverse_ns.evaluation.methods.train_run import TrainSettings, train_and_evaluate


@dataclass
class Benchmark:
    """Measure on a folder of clips."""

    clips: Path
    """Folder of clip folders."""
    only: str | None = None
    """Names of the clips to use, separated by commas; all, and both synthetic ones, by default."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other clips, and write both."""
    geometry_only: bool = False
    """Solve cameras and depth alone, without training."""
    skip_geometry: bool = False
    """Leave out the separate solve of `geometry_frames` frames."""
    geometry_frames: int = 16
    """Frames of that solve, of every video."""
    geometry_duration: float | None = None
    """Seconds that they cover; by default `duration`."""
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
    protocols: str = "m1"
    """Which source frames between the sampled ones are followed, separated by commas; the scene is trained once for
    each: m1 (the headline), m0, train. See neoverse_ns/evaluation/data/clips/windows.py."""
    seed: int = 42
    """Seed of the training."""
    work_dir: Path | None = None
    """Where runs and links to images are kept; by default a folder that is deleted at the end."""


def measure(folder: Path, options: Benchmark, work: Path) -> Row:
    """All measurements of one clip; an error the clip causes ends up in the row."""
    row: Row = {"clip": folder.name}
    try:
        if not options.skip_geometry:
            protocol = _geometry_protocol(options)
            sample = load_benchmark_clip(folder, protocol, work, options.width)
            geometry = measure_geometry(sample)
            row["geometry"] = {
                "source_frames": sample.clip.frame_indices.tolist(),
                "clip_notes": list(sample.clip.notes),
                **geometry,
            }
            row["notes"] = sample_notes(sample, protocol) + geometry["notes"]
        if not options.geometry_only:
            row |= _measure_views(folder, options, work)
    except NeoVerseError as error:
        row["error"] = str(error)
        warn(f"{folder.name}: {error}")
    return row


def _geometry_protocol(options: Benchmark) -> ClipWindow:
    seconds = options.duration if options.geometry_duration is None else options.geometry_duration
    return geometry_window(options.start, seconds, options.geometry_frames)


def _choose_clips(options: Benchmark, work: Path) -> list[Path]:
    """The clip folders asked for; the synthetic ones are rendered."""
    names = None if options.only is None else options.only.split(",")
    real = None if names is None else [name for name in names if name not in SYNTHETIC]
    folders = [] if real == [] else find_clips(options.clips, real)
    count = max(options.frames, options.geometry_frames)
    return folders + [render(work, count) for name, render in SYNTHETIC.items() if names is None or name in names]


def _measure_views(folder: Path, options: Benchmark, work: Path) -> Row:
    """Held-out frames, training keyframes and the unseen camera of the trained scene, and the baselines beside it."""
    protocol = held_out_window(options.start, options.duration, options.frames)
    sample = load_benchmark_clip(folder, protocol, work, options.width)
    row: Row = {
        "source_frames": sample.clip.frame_indices.tolist(),
        "size": [sample.clip.width, sample.clip.height],
    }
    for tracking in choose_tracking(options.protocols):
        settings = TrainSettings(options.method, options.seed, work / "runs", tracking)
        row[tracking.key], scene = train_and_evaluate(sample, settings)
        if "baselines" not in row:
            # On the run's own frames, division and masks: those of the clip may be others, as where a lens is bent.
            row["baselines"] = score_baselines(scene.clip, scene.split, scene.held_out_dynamic)
    if sample.right_frames is not None:
        row["baselines"]["right_shift"] = score_shift(sample)
    return row


def _header(options: Benchmark) -> dict[str, Any]:
    """What was measured how, and where."""
    header: dict[str, Any] = {}
    if not options.skip_geometry:
        window = _geometry_protocol(options)
        header["geometry protocol"] = f"{alias_of(window)}: {window.name}"
    if not options.geometry_only:
        window = held_out_window(options.start, options.duration, options.frames)
        header["held-out protocol"] = window.name
        ways = choose_tracking(options.protocols)
        header |= {way.name: f"{alias_of(window, 'held-out', way.name)}: {way.words}" for way in ways}
        header |= {"method": options.method, "seed": options.seed}
    return header | {"machine": describe_machine()}


def run(options: Benchmark, work: Path) -> int:
    """Measure every clip, write after each, print the tables at the end; returns the process's exit code."""
    jobs: list[Job] = [
        (folder.name, lambda folder=folder: measure(folder, options, work)) for folder in _choose_clips(options, work)
    ]
    report = tables(_header(options), SECTIONS, "Benchmark")
    return measure_all(jobs, report, options.json, options.markdown, options.add)


def main() -> int:
    options = tyro.cli(Benchmark, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-benchmark-", options.work_dir)


if __name__ == "__main__":
    sys.exit(main())
