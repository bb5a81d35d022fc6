"""Compare optimisation from the library with `ns-train` on the same clip: held-out PSNR, seconds.

    python scripts/benchmark_optimise.py                          # the synthetic clip of ns-neoverse demo
    python scripts/benchmark_optimise.py CLIP.mp4 --steps 500 --markdown docs/benchmarks_optimise.md

Both take the same reconstruction from a cache of their own, the same steps on the same frames in the same order; what
differs is nerfstudio around them, and the world they work in (its own is turned).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from _benchmark.report import describe_machine, write_report

from neoverse_ns.console import CONSOLE, warn
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.evaluation.data.clips.demo import render_demo
from neoverse_ns.evaluation.methods.train_run import command
from neoverse_ns.metrics.image import psnr
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.optimise.loop import optimise
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.cache import cached_scene
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene


@dataclass
class OptimiseBenchmark:
    """Measure one clip."""

    clip: tyro.conf.Positional[Path | None] = None
    """Video; by default the synthetic clip is rendered."""
    steps: int = 500
    """Of both."""
    markdown: Path | None = None
    """Where to write the table."""
    json: Path | None = None
    """Where to write the numbers."""


def held_out_psnr(scene: Scene) -> float:
    """Mean over the held-out frames, as ns-eval measures it."""
    cameras, values = scene.geometry.cameras, []
    assert scene.gaussians is not None, "optimised scenes have their Gaussians"
    for frame in scene.split.held_out:
        view = cameras[[frame]]
        with torch.no_grad():
            drawn = draw_layers(
                scene.gaussians, float(scene.clip.times[frame]), view.viewmats, view.K, view.width, view.height
            )
        values.append(float(psnr(drawn.rgb[0].clamp(0, 1), scene.clip.frames[frame].float() / 255)))
    return sum(values) / len(values)


def run(options: OptimiseBenchmark, work: Path) -> int:
    clip = options.clip or render_demo(work, 25) / "clip.mp4"
    config = SceneConfig(cache_dir=work / "cache")
    scene = cached_scene(clip, config)
    started = time.perf_counter()
    ours = optimise(scene, OptimiseConfig(steps=options.steps))
    seconds = time.perf_counter() - started
    arguments = ["neoverse", "--data", str(clip), "--cache-dir", str(work / "cache"), "--vis", "tensorboard"]
    arguments += ["--output-dir", str(work), "--experiment-name", "run", "--timestamp", "run"]
    command("ns-train", *arguments, "--max-num-iterations", str(options.steps))
    folder = work / "run" / "neoverse" / "run"
    command("ns-eval", "--load-config", str(folder / "config.yml"), "--output-path", str(folder / "metrics.json"))
    results = json.loads((folder / "metrics.json").read_text("utf8"))["results"]
    row = {
        "clip": clip.parent.name if options.clip is None else clip.stem,
        "as reconstructed dB": held_out_psnr(scene),
        "optimise() dB": held_out_psnr(ours),
        "ns-train dB": results["psnr"],
        "optimise() s": seconds,
        "ns-train s": results["seconds_train"],
    }
    numbers = [f"{value:.3f}" if isinstance(value, float) else value for value in row.values()]
    lines = ["# Optimisation from the library and by ns-train", "", f"- machine: {describe_machine()}"]
    lines += [
        f"- protocol: held-out frames of the whole clip, every 8th, {options.steps} steps, one reconstruction",
        "",
    ]
    lines += [f"| {' | '.join(row)} |", "|---" * len(row) + "|", f"| {' | '.join(numbers)} |"]
    text = "\n".join(lines) + "\n"
    write_report([row], {"machine": describe_machine()}, text, options.json, options.markdown)
    CONSOLE.print(text, markup=False, highlight=False)
    return 0


def main() -> int:
    options = tyro.cli(OptimiseBenchmark, description=__doc__)
    try:
        with tempfile.TemporaryDirectory(prefix="neoverse-optimise-") as work:
            return run(options, Path(work))
    except NeoVerseError as error:
        warn(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
