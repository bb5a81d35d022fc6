"""Measure what moves on small synthetic clips of which everything is known: depth, masks, and how it looks from aside.

    python scripts/benchmark_movers.py --markdown docs/benchmarks_movers.md --json movers.json
    python scripts/benchmark_movers.py --only walker,behind --seeds 1 --steps 500

What moves how stands in _benchmark/mover_cases.py. Clips have 30 frames a second, of which 8 are used, every 8th of
them held out. Everything is measured as lifted, and with --steps again after so many steps of optimisation.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro
from _benchmark.columns_movers import MOVER_SECTIONS
from _benchmark.mover_cases import RATE, SAMPLED, SECONDS, MoverCase, choose_cases
from _benchmark.mover_render import MoverClip, mover_clip
from _benchmark.mover_scores import VANISHED, Draw, score_movers
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables
from _benchmark.turned import ASIDE

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.optimise.loop import optimise
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene, build_scene

TITLE = "What moves"


@dataclass
class BenchmarkMovers:
    """Measure the battery of movers."""

    only: str | None = None
    """Names of cases, separated by commas; all by default."""
    seeds: int = 2
    """Clips of every case: textures, places and phases differ, and so does the camera's path."""
    steps: int | None = None
    """Measure again after so many steps of optimisation."""
    every: int = 1
    """From aside one sampled frame in so many is looked at."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other clips, and write both."""


def measure(case: MoverCase, seed: int, options: BenchmarkMovers, work: Path) -> Row:
    """One clip: rendered, reconstructed, and measured.

    Raises:
        NeoVerseError: It cannot be reconstructed.
    """
    clip, video = mover_clip(case, seed), work / f"{case.name}_{seed}.mp4"
    clip.write(video)
    started = time.perf_counter()
    scene = build_scene(video, scene_config(clip))
    row: Row = {"clip": clip.name, "seconds": time.perf_counter() - started}
    row["lifted"] = score_movers(clip, scene, draw_with(scene), options.every)
    if options.steps is not None:
        scene = optimise(scene, OptimiseConfig(steps=options.steps))
        row["optimised"] = score_movers(clip, scene, draw_with(scene), options.every)
    return row


def scene_config(clip: MoverClip) -> SceneConfig:
    """The reconstruction without weights, of frames sampled 8 a second."""
    frames = ClipConfig(duration=SECONDS, num_frames=SAMPLED, width=clip.cameras.width)
    return SceneConfig(clip=frames, reconstructor="bundle")


def draw_with(scene: Scene) -> Draw:
    """Draws the scene's Gaussians as they stand."""
    gaussians = scene.gaussians
    assert gaussians is not None

    @torch.no_grad()
    def draw(camera: PinholeCameras, moment: float) -> Drawing:
        return draw_layers(gaussians, moment, camera.viewmats, camera.K, camera.width, camera.height)

    return draw


def header(options: BenchmarkMovers, cases: list[MoverCase]) -> dict[str, Any]:
    """What was measured how, and where."""
    return {
        "clips": "; ".join(f"{case.name}: {case.words}" for case in cases),
        "frames": f"{SAMPLED} of {round(SECONDS * RATE) + 1}, {(SAMPLED - 1) / SECONDS:g} of {RATE:g} a second, every "
        "8th held out; protocol m1: source frames within a sampling step of a held-out one are not followed",
        "masks": "the true ones",
        "depth error": "|drawn - true| / true after one scale for the clip, that of still pixels: median of a thing's "
        "pixels, mean of the frames, and the worst frame",
        "from aside": f"{ASIDE:g} degrees to the left and to the right of every thing, turned about its middle, at its "
        "pixels that the clip's own camera sees, too. Visible share: of these pixels, where something is drawn before "
        "what truly lies behind the thing and its colour is nearer to the thing's than to what would be seen without "
        f"it. A thing vanishes where that share falls below {VANISHED:g}",
        "steps": 0 if options.steps is None else options.steps,
        "machine": describe_machine(),
    }


def run(options: BenchmarkMovers, work: Path) -> int:
    """Measure every clip, write after each, print the tables at the end; returns the process's exit code."""
    cases = choose_cases(options.only)
    jobs: list[Job] = [
        (f"{case.name} {seed}", lambda case=case, seed=seed: measure(case, seed, options, work))
        for case in cases
        for seed in range(options.seeds)
    ]
    report = tables(header(options, cases), MOVER_SECTIONS, TITLE)
    return measure_all(jobs, report, options.json, options.markdown, options.add)


def main() -> int:
    options = tyro.cli(BenchmarkMovers, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-movers-")


if __name__ == "__main__":
    sys.exit(main())
