"""Time the degradation of a clip's scene and the drawing of its training pair, which an online refiner waits for.

    python scripts/benchmark_degradation.py clip.mp4 --repeats 5

The scene is reconstructed first, or taken from the cache; that is not part of the times. Prints the fastest of all
repeats, in seconds.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import torch
import tyro

from neoverse_ns.console import progress, say, warn
from neoverse_ns.errors import NeoVerseError, SettingsError
from neoverse_ns.generate.degradation.choices import Choices
from neoverse_ns.generate.degradation.geometry import degrade
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.degradation.simulate import pair_of
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.reconstruct.cache import cached_scene
from neoverse_ns.reconstruct.config import SceneConfig


@dataclass
class BenchmarkDegradation:
    """Seconds for one training pair."""

    source: tyro.conf.Positional[Path]
    """Video file, folder of images, or image."""
    repeats: int = 3
    """Times each part is run."""
    device: str = "cpu"
    """Where the Gaussians are: cpu or cuda."""
    scene: Annotated[SceneConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=SceneConfig)
    """How the clip becomes a scene."""


def measure(source: SourceScene, repeats: int) -> dict[str, float]:
    """Seconds, least of all repeats, of culling, of smearing too, and of drawing every frame with its mask."""
    settings, cuda = DegradationSettings(), source.gaussians.frames.means.is_cuda
    least: dict[str, float] = {}

    def passed(name: str, since: float) -> float:
        if cuda:
            torch.cuda.synchronize()
        now = time.perf_counter()
        least[name] = min(now - since, least.get(name, float("inf")))
        return now

    with progress("degrading the scene", repeats) as steps:
        for _ in range(repeats):
            now = time.perf_counter()
            degrade(source, Choices(kernel=None), settings)
            now = passed("culling", now)
            degraded = degrade(source, Choices(kernel=51), settings)
            now = passed("culling and geometry filter", now)
            pair_of(source, degraded, Choices(), settings)
            passed("drawing and masks", now)
            steps.advance()
    return least


def main() -> int:
    options = tyro.cli(BenchmarkDegradation, description=__doc__)
    try:
        if options.repeats < 1:
            raise SettingsError(f"repeats must be at least 1, got {options.repeats}")
        if options.device.startswith("cuda") and not torch.cuda.is_available():
            raise SettingsError(f"device {options.device}: there is no CUDA device here; use cpu")
        scene = cached_scene(options.source, options.scene, options.device)
        source = SourceScene.of(scene)
        source = SourceScene.of(scene, source.gaussians.to(options.device))
        seconds = measure(source, options.repeats)
    except NeoVerseError as error:
        warn(str(error))
        return 1
    height, width = source.frames.shape[1:3]
    count = f"{len(source.gaussians):,} Gaussians"
    say(f"{len(source)} frames of {width}x{height}, {len(source.keyframes)} keyframes, {count}")
    for name, value in seconds.items():
        say(f"{name}: {value:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
