"""Measure views of cameras beside a clip, and the scene merged from them, against what such cameras truly saw.

    python scripts/benchmark_multiview.py --clips CLIPS --lpips-weights ALEXNET --markdown docs/benchmarks_multiview.md
    python scripts/benchmark_multiview.py --clips CLIPS --only demo --runs demo=outputs/demo/neoverse/TIME

Of the synthetic clip everything is known: cameras to both sides of its path, by three distances, and cameras turned on
the spot in two rings, which see what the clip never showed. street_stereo has a second camera that was never an input.
Three things are compared: the scene's plain drawing, the view that `ns-neoverse multiview` writes, and the drawing of
the scene merged from all views. Scenes are reconstructed and optimised, as `ns-train neoverse` does, or taken from
finished runs; with --steps 0 they are taken as lifted, as scripts/benchmark_refine.py does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import tyro
from _benchmark.columns import MULTIVIEW_SECTIONS
from _benchmark.multiview import Judge, demo_cameras, measure_known, right_cameras
from _benchmark.refinement import read_scene
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables

from neoverse_ns.api.runs import load, shown
from neoverse_ns.console import say
from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.data.clips.demo import DEMO, render_demo
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip, find_clips, load_benchmark_clip
from neoverse_ns.evaluation.data.clips.windows import held_out_window
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.metrics.lpips import load_lpips
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.optimise.loop import optimise
from neoverse_ns.reconstruct.cache import cache_root


@dataclass
class MultiviewBenchmark:
    """Measure views beside clips."""

    clips: Path
    """Folder of clip folders; see neoverse_ns/evaluation/data/clips/folder.py. The synthetic clip is rendered
    where it does not lie there."""
    only: str = "demo,street_stereo"
    """Names of the clips to use, separated by commas."""
    runs: tuple[str, ...] = ()
    """Finished runs in the stead of reconstructing, as NAME=RUN; of the very frames that this would use."""
    steps: int = 500
    """Steps of optimisation; 0 takes scenes as lifted."""
    every: int = 1
    """Only every n-th frame of the views is made and judged."""
    refiner: str = "internal"
    """Who finishes the views."""
    seed: int = 0
    """Of the refiner's training."""
    taught_dir: Path | None = None
    """Where taught refiners are kept, a folder per clip."""
    lpips_weights: Path | None = None
    """File with AlexNet's weights for LPIPS; by default torch's cache is searched."""
    cache_dir: Path | None = None
    """Where scenes are kept; by default the library's cache."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other clips, and write both."""
    experiments: tuple[str, ...] = field(default=())
    """Names of the experiments to do, as the tables show them; by default all."""

    def scene(self, sample: BenchmarkClip) -> ExportScene:
        """The clip's scene: a finished run, or reconstructed and optimised.

        Raises:
            NeoVerseError: It cannot be made.
        """
        named = dict(run.split("=", 1) for run in self.runs if "=" in run)
        if sample.name in named:
            return load(named[sample.name])
        scene = read_scene(sample, cache_root(self.cache_dir))
        return shown(optimise(scene, OptimiseConfig(steps=self.steps)) if self.steps else scene)


def rows_of(name: str, options: MultiviewBenchmark, work: Path) -> list[Row]:
    """A row per experiment of one clip."""
    rendered = name == DEMO and not (options.clips / DEMO).is_dir()
    folder = render_demo(work, 25) if rendered else find_clips(options.clips, [name])[0]
    sample = load_benchmark_clip(folder, held_out_window(2.0, 3.0, 25), work)
    scene = options.scene(sample)
    if len(scene.times) != len(sample.clip):
        raise SettingsError(f"the run of {name} has {len(scene.times)} frames, {len(sample.clip)} are measured")
    kept = None if options.taught_dir is None else options.taught_dir / name
    config = RefinerConfig(refiner=options.refiner, seed=options.seed, folder=kept)
    judge = Judge(config, get_refiner(config), load_lpips(options.lpips_weights))
    rows = []
    frames = list(range(0, len(scene.times), options.every))
    for experiment, known in (
        demo_cameras(sample, scene, frames) if name == DEMO else right_cameras(sample, scene, frames)
    ):
        if options.experiments and experiment not in options.experiments:
            continue
        found = measure_known(scene, known(), judge, frames)
        if "degrees" in experiment:
            rings = sorted({view.rpartition("_")[2] for view in found})
            groups = {f"{experiment}, ring {r}": [v for n, v in found.items() if n.endswith(f"_{r}")] for r in rings}
        else:
            groups = {experiment: list(found.values())}
        for title, group in groups.items():
            rows.append({"clip": f"{name}, {title}"} | mean_of(group))
            dB = ", ".join(f"{way} {rows[-1][way]['psnr']:.2f} dB" for way in ("drawn", "view", "merged"))
            say(f"{rows[-1]['clip']}: {dB}")
    return rows


def mean_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means of equal rows of numbers, however deep."""
    first = rows[0]
    return {
        key: mean_of([row[key] for row in rows]) if isinstance(value, dict) else fmean(row[key] for row in rows)
        for key, value in first.items()
    }


def run(options: MultiviewBenchmark, work: Path) -> int:
    """Measure every clip, write after each, print the tables at the end; returns the process's exit code."""
    header = {
        "scenes": f"a finished run where there is one, else {options.steps} steps optimised"
        if options.runs
        else f"{options.steps} steps optimised",
        "refiner": options.refiner,
        "machine": describe_machine(),
    }
    jobs: list[Job] = [
        (name, lambda name=name: {"clip": name, "rows": rows_of(name, options, work)})
        for name in options.only.split(",")
    ]
    return measure_all(
        jobs,
        _flat(tables(header, MULTIVIEW_SECTIONS, "Views beside a clip")),
        options.json,
        options.markdown,
        options.add,
    )


def _flat(describe: Any) -> Any:
    """A report of the experiments in the stead of the clips."""
    return lambda rows: describe([one for row in rows for one in row.get("rows", [row])])


def main() -> int:
    options = tyro.cli(MultiviewBenchmark, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-benchmark-")


if __name__ == "__main__":
    sys.exit(main())
