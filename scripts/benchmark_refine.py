"""Measure refiners that need no weights: degraded drawings of held-out frames, an unseen camera, steadiness, seconds.

    python scripts/benchmark_refine.py --clips CLIPS --lpips-weights ALEXNET --markdown docs/benchmarks_refine.md
    python scripts/benchmark_refine.py --clips CLIPS --only trulli_village,street_stereo
    python scripts/benchmark_refine.py --clips CLIPS --stage-only --markdown docs/benchmarks_refine_stage.md

Scenes are taken as lifted, without photometric optimisation, and kept in the cache, so that a second run measures
refiners alone. Refiners learn from training frames; every 8th frame is held out and is what they are judged on, in
versions of the scene that are degraded with other seeds than those they learned from. Masks come from opacity alone. At
held-out times refiners may look at the training frames around, as they may for any new view.

With --stage-only, refinement is measured as a stage of ns-train instead: held-out frames and the unseen camera without
it, with as many steps more, and with it (see _benchmark/refine_stage.py).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from _benchmark.columns import REFINE_SECTIONS, STAGE_SECTIONS
from _benchmark.refine_stage import measure_stage
from _benchmark.refinement import Contest, measure_refiners, read_scene
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables

from neoverse_ns.console import warn
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.evaluation.data.clips.folder import find_clips, load_benchmark_clip
from neoverse_ns.evaluation.data.clips.windows import held_out_window
from neoverse_ns.evaluation.methods.train_run import TrainSettings
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.metrics.lpips import load_lpips
from neoverse_ns.reconstruct.cache import cache_root

WALKS = (
    "forest_steps,night_crowd,parked_cars,rainy_lane,shrine_path,slot_canyon,street_crossing,trulli_village,"
    "street_stereo"
)
"""The walking clips, and the one with a second camera."""


@dataclass
class RefineBenchmark:
    """Measure refiners on a folder of clips."""

    clips: Path
    """Folder of clip folders; see neoverse_ns/evaluation/data/clips/folder.py."""
    only: str = WALKS
    """Names of the clips to use, separated by commas."""
    refiners: str = "telea,internal"
    """Registered refiners to compare, separated by commas."""
    lpips_weights: Path | None = None
    """File with AlexNet's weights for LPIPS; by default torch's cache is searched."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other clips, and write both."""
    frames: int = 25
    """Frames sampled of every clip."""
    start: float = 2.0
    """First second of every video that is long enough; others start at 0."""
    duration: float = 3.0
    """Seconds used of every video."""
    width: int | None = None
    """Width of the sampled frames; by default the library's."""
    degraded: int = 4
    """Degraded versions of every scene that are judged."""
    seed: int = 0
    """Of the refiners' training."""
    steps: int | None = None
    """Training steps of `internal`; by default its own."""
    taught_dir: Path | None = None
    """Where taught refiners are kept, a folder per clip, and taken from; seconds of teaching are then meaningless."""
    cache_dir: Path | None = None
    """Where scenes are kept; by default the library's cache."""
    stage_only: bool = False
    """Train with refinement as a stage, and measure nothing else."""
    stage_clips: str = "trulli_village,parked_cars,night_crowd,street_stereo"
    """Clips of that, separated by commas."""
    stage_refiner: str = "internal"
    """Who refines in the stage."""
    stage_steps: int = 200
    """Steps of the stage."""


FIRST_DEGRADED_SEED = 10_000
"""Far from any seed that training is given."""


def measure(folder: Path, options: RefineBenchmark, work: Path) -> Row:
    """All measurements of one clip; an error the clip causes ends up in the row."""
    row: Row = {"clip": folder.name}
    try:
        protocol = held_out_window(options.start, options.duration, options.frames)
        sample = load_benchmark_clip(folder, protocol, work, options.width)
        scene = read_scene(sample, cache_root(options.cache_dir))
        config = RefinerConfig(folder=None if options.taught_dir is None else options.taught_dir / folder.name)
        config.internal.steps = options.steps or config.internal.steps
        refiners = {}
        for name in options.refiners.split(","):
            config.refiner = name
            refiners[name] = get_refiner(config)
        seeds = tuple(range(FIRST_DEGRADED_SEED, FIRST_DEGRADED_SEED + options.degraded))
        contest = Contest(refiners, load_lpips(options.lpips_weights), seeds)
        row |= {"size": [scene.clip.width, scene.clip.height], "frames": len(scene.clip)}
        row |= measure_refiners(sample, scene, contest, options.seed)
    except NeoVerseError as error:
        row["error"] = str(error)
        warn(f"{folder.name}: {error}")
    return row


def measure_as_stage(folder: Path, options: RefineBenchmark, work: Path) -> Row:
    """A clip trained with and without the stage; an error the clip causes ends up in the row."""
    row: Row = {"clip": folder.name}
    try:
        protocol = held_out_window(options.start, options.duration, options.frames)
        sample = load_benchmark_clip(folder, protocol, work, options.width)
        settings = TrainSettings(method="neoverse", seed=42, output_dir=work / "stage_runs")
        row["stage"] = measure_stage(sample, settings, options.stage_refiner, options.stage_steps)
    except NeoVerseError as error:
        row["error"] = str(error)
        warn(f"{folder.name}: {error}")
    return row


def _header(options: RefineBenchmark) -> dict[str, Any]:
    """What was measured how, and where."""
    if options.stage_only:
        return {
            "protocol": held_out_window(options.start, options.duration, options.frames).name,
            "stage": f"neoverse, then {options.stage_refiner} and {options.stage_steps} steps",
            "machine": describe_machine(),
        }
    return {
        "protocol": held_out_window(options.start, options.duration, options.frames).name,
        "scene": "as lifted, no photometric optimisation",
        "degraded scenes": f"{options.degraded} per clip, simulation of degradation with its default settings, "
        f"seeds from {FIRST_DEGRADED_SEED}",
        "training seed": options.seed,
        "machine": describe_machine(),
    }


def run(options: RefineBenchmark, work: Path) -> int:
    """Measure every clip, write after each, print the tables at the end; returns the process's exit code."""
    names = options.stage_clips if options.stage_only else options.only
    folders = find_clips(options.clips, names.split(","))
    sections, title = (STAGE_SECTIONS, "Stage") if options.stage_only else (REFINE_SECTIONS, "Refiners")
    chosen = measure_as_stage if options.stage_only else measure
    jobs: list[Job] = [(folder.name, lambda folder=folder: chosen(folder, options, work)) for folder in folders]
    report = tables(_header(options), sections, title)
    return measure_all(jobs, report, options.json, options.markdown, options.add)


def main() -> int:
    options = tyro.cli(RefineBenchmark, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-benchmark-")


if __name__ == "__main__":
    sys.exit(main())
