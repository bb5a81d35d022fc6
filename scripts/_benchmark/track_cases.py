"""Clips on which tracks are measured: scenes, and the worlds that they were made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from _benchmark.mover_cases import CASES
from _benchmark.mover_render import mover_clip
from neoverse_ns.api.runs import load, shown
from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.synthetic.scene import build_scene as build_solids
from neoverse_ns.clip.synthetic.solids import Solid
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.data.clips.demo import DEMO, render_demo
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import build_scene


@dataclass(frozen=True)
class TrackCase:
    """A clip of which everything is known.

    Attributes:
        scene: What was made of it.
        solids: What stands and moves there.
        cameras: True ones of the sampled frames, float64.
        time_of: Time in [0, 1] of a sampled frame.
        things: Numbers of things by name.
    """

    scene: ExportScene
    solids: list[Solid]
    cameras: PinholeCameras
    time_of: Callable[[int], float]
    things: dict[str, list[int]]


NAMES = (DEMO, *CASES)
"""Of all clips."""


def make_case(name: str, work: Path, run: Path | None = None) -> TrackCase:
    """Render a clip and reconstruct it, or take a finished run of it.

    Args:
        name: One of `NAMES`.
        work: Folder for the clip.
        run: A run or a saved scene of the same clip; None reconstructs it, without training.

    Raises:
        SettingsError: There is no such clip, or the run is of another.
    """
    if name not in NAMES:
        raise SettingsError(f"no clip named {name}; there are {', '.join(NAMES)}")
    case = _demo(work, run) if name == DEMO else _mover(name, work, run)
    frames = case.scene.cameras
    if (len(frames), frames.width, frames.height) != (len(case.cameras), case.cameras.width, case.cameras.height):
        raise SettingsError(f"{run} has {len(frames)} frames of {frames.width}x{frames.height}: not a run of {name}")
    return case


def _demo(work: Path, run: Path | None) -> TrackCase:
    count, width, height = 25, 384, 224
    scene = load(run) if run is not None else shown(build_scene(render_demo(work, count) / "clip.mp4", SceneConfig()))
    # As render_synthetic draws them, one after the other from the same generator.
    generator = torch.Generator().manual_seed(0)
    random_lattice(generator)
    solids = build_solids(generator)
    cameras = camera_path(count, width, height, generator)
    things = {"thrown ball": [1], "crate": [2], "rolling ball": [3]}
    return TrackCase(scene, solids, cameras, lambda frame: frame / (count - 1), things)


def _mover(name: str, work: Path, run: Path | None) -> TrackCase:
    # The mover benchmark's own settings; a script that is imported from beside this package.
    from benchmark_movers import scene_config

    clip = mover_clip(CASES[name], seed=0)
    if run is None:
        video = work / f"{name}.mp4"
        clip.write(video)
        scene = shown(build_scene(video, scene_config(clip)))
    else:
        scene = load(run)
    assert scene.source is not None
    frames = scene.source.clip.frame_indices.tolist()
    return TrackCase(scene, clip.solids, clip.cameras[frames], lambda frame: clip.time(frames[frame]), {})


def of_times(case: TrackCase, frames: int) -> list[int]:
    """Frames spread evenly over a clip, from the first to the last."""
    return sorted(set(torch.linspace(0, len(case.cameras) - 1, frames).round().long().tolist()))
