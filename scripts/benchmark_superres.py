"""Measure super-resolution: clips made small, enlarged again, and compared with what they were.

    python scripts/benchmark_superres.py --clips CLIPS --lpips-weights ALEXNET --markdown docs/benchmarks_superres.md
    python scripts/benchmark_superres.py --only demo,crossing:1 --scale 4

Synthetic clips are rendered, and real ones decoded, `scale` times as large as they are given; each pixel given is the
mean of those it stands for. Scenes are reconstructed from what is given alone, and taken as lifted. `native` rows are
rendered at both sizes instead: textures fade before they alias, so that the small clip has lost more than a mean loses.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from _benchmark.clip_pairs import DEMO, reconstructed, reduced, world_named
from _benchmark.columns import Column
from _benchmark.report import Row, describe_machine
from _benchmark.runner import Job, in_work_folder, measure_all, tables
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.api.runs import load, shown
from neoverse_ns.applications.superres.config import SuperresConfig
from neoverse_ns.applications.superres.enlarge import enlarge_clip
from neoverse_ns.applications.superres.sizes import enlarged
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.metrics.image import psnr
from neoverse_ns.metrics.lpips import LPIPS, load_lpips

STRETCH = 9
"""Frames of a finished run that are judged."""

SECTIONS = {
    "Against the larger clip": (
        Column("bicubic dB", ("bicubic", "psnr"), 2, "mean"),
        Column("enlarged dB", ("enlarged", "psnr"), 2, "mean"),
        Column("gain dB", ("gain",), 2, "mean"),
        Column("bicubic LPIPS", ("bicubic", "lpips"), 4, "mean"),
        Column("enlarged LPIPS", ("enlarged", "lpips"), 4, "mean"),
        Column("worst frame's gain dB", ("worst",), 2),
        Column("detail kept %", ("belief",), 0),
        Column("seconds", ("seconds",), 0),
    )
}


@dataclass
class BenchmarkSuperres:
    """Measure super-resolution on synthetic and real clips."""

    only: str = "demo,demo:1,crossing:1"
    """Synthetic clips, separated by commas: demo, demo:SEED, or CASE:SEED of the battery of movers; with `@native`
    behind, rendered at both sizes."""
    demo_run: Path | None = None
    """A finished run of the demo's clip: its scene is then taken for `demo`, whose frames in the middle are judged."""
    clips: Path | None = None
    """Folder of clip folders with a clip.mp4 each, for --real."""
    real: str = "trulli_village"
    """Names of those to use, separated by commas."""
    width: int = 384
    """Of the real clips as they are given."""
    start: float = 2.0
    """First second of the real clips."""
    scale: int = 2
    """Times as large."""
    frames: int = 25
    """Frames of every clip, over three seconds of the real ones."""
    lpips_weights: Path | None = None
    """File with AlexNet's weights for LPIPS; by default torch's cache is searched."""
    json: Path | None = None
    """Where to write every number."""
    markdown: Path | None = None
    """Where to write the tables."""
    add: bool = False
    """Keep what the file named by --json says of other clips, and write both."""


def synthetic_pair(
    name: str, options: BenchmarkSuperres
) -> tuple[UInt8[Tensor, "n h w 3"], UInt8[Tensor, "n gh gw 3"]]:
    """What is given, and what it shall become."""
    plain, _, how = name.partition("@")
    world = world_named(plain, options.frames)
    large = world.frames(options.scale)
    return world.frames() if how == "native" else reduced(large, options.scale), large


def real_pair(name: str, options: BenchmarkSuperres) -> tuple[UInt8[Tensor, "n h w 3"], UInt8[Tensor, "n gh gw 3"]]:
    """The same of a real clip.

    Raises:
        ClipError: It cannot be read.
    """
    assert options.clips is not None
    width = options.width * options.scale
    config = ClipConfig(start=options.start, duration=3.0, num_frames=options.frames, width=width)
    large = load_clip(options.clips / name / "clip.mp4", config).frames
    # Clips are cut to sides that are multiples of 16 when they are read, and the small one is read again.
    height = large.shape[1] // (16 * options.scale) * 16 * options.scale
    return reduced(large[:, :height], options.scale), large[:, :height]


def trained_demo(options: BenchmarkSuperres) -> tuple[ExportScene, UInt8[Tensor, "n gh gw 3"]]:
    """The scene of a run in the middle of its clip, with means over the larger clip's pixels for frames."""
    assert options.demo_run is not None
    whole = load(options.demo_run)
    assert whole.source is not None
    middle = len(whole.times) // 2
    chosen = list(range(middle - STRETCH // 2, middle + STRETCH // 2 + 1))
    large = world_named(DEMO, len(whole.times)).frames(options.scale, chosen)
    clip = replace(whole.source.clip.part(chosen), frames=reduced(large, options.scale))
    cameras, times, seconds = whole.cameras[chosen], whole.times[chosen], whole.seconds[chosen]
    source = replace(whole.source, clip=clip)
    return replace(whole, cameras=cameras, times=times, seconds=seconds, source=source), large


def measure(name: str, options: BenchmarkSuperres, lpips: LPIPS | None, work: Path, real: bool) -> Row:
    """One clip.

    Raises:
        NeoVerseError: It cannot be read or reconstructed.
    """
    if name == DEMO and not real and options.demo_run is not None:
        scene, large = trained_demo(options)
    else:
        given, large = (real_pair if real else synthetic_pair)(name, options)
        scene = shown(reconstructed(given, work / name.replace(":", "_")))
    assert scene.source is not None
    given = scene.source.clip.frames
    started = time.perf_counter()
    config = SuperresConfig(scale=options.scale)  # pyright: ignore[reportArgumentType]
    made = enlarge_clip(scene, config)
    row: Row = {"clip": name, "seconds": time.perf_counter() - started, "belief": 100 * made.belief}
    plain = [bicubic(frame, options.scale) for frame in given]
    scores = {key: score(pictures, large, lpips) for key, pictures in (("bicubic", plain), ("enlarged", made.frames))}
    gains = [b - a for a, b in zip(scores["bicubic"][0], scores["enlarged"][0], strict=True)]
    for key, (decibels, distances) in scores.items():
        row[key] = {"psnr": float(np.mean(decibels))} | ({"lpips": float(np.mean(distances))} if distances else {})
    return row | {"gain": float(np.mean(gains)), "worst": min(gains)}


def bicubic(frame: UInt8[Tensor, "h w 3"], scale: int) -> UInt8[Tensor, "gh gw 3"]:
    """What any player shows."""
    picture = enlarged(frame.numpy().astype(np.float32), scale)
    return torch.from_numpy(picture.round().clip(0, 255).astype(np.uint8))


def score(
    pictures: list[Tensor] | Tensor, truth: UInt8[Tensor, "n gh gw 3"], lpips: LPIPS | None
) -> tuple[list[float], list[float]]:
    """PSNR of every frame, and LPIPS of every fifth."""
    pairs = [(a.float() / 255, b.float() / 255) for a, b in zip(pictures, truth, strict=True)]
    decibels = [psnr(a, b) for a, b in pairs]
    return decibels, [] if lpips is None else [lpips(a, b) for a, b in pairs[::5]]


def run(options: BenchmarkSuperres, work: Path) -> int:
    """Measure every clip, write after each, print the table at the end; returns the process's exit code."""
    lpips = load_lpips(options.lpips_weights)

    def job(name: str, real: bool) -> Job:
        return name, lambda: measure(name, options, lpips, work, real)

    jobs = [job(name, False) for name in options.only.split(",") if name]
    jobs += [job(name, True) for name in options.real.split(",") if name and options.clips is not None]
    header: dict[str, Any] = {
        "scale": options.scale,
        "clips": f"{options.frames} frames, given as means over pixels of the larger ones; scenes as lifted"
        + (f", but for demo: {STRETCH} frames in the scene of a finished run" if options.demo_run is not None else ""),
        "LPIPS": "of every fifth frame",
        "machine": describe_machine(),
    }
    return measure_all(jobs, tables(header, SECTIONS, "Super-resolution"), options.json, options.markdown, options.add)


def main() -> int:
    options = tyro.cli(BenchmarkSuperres, description=__doc__)
    return in_work_folder(lambda work: run(options, work), "neoverse-superres-")


if __name__ == "__main__":
    sys.exit(main())
