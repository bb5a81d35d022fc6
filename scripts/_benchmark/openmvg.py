"""OpenMVG (Moulon et al., 2016), as its Rust port openmvg-rs, on the frames of a clip; where it is installed."""

from __future__ import annotations

import importlib
import shutil
import time
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from _benchmark.colmap import write_frames
from neoverse_ns.evaluation.judges.geometry import compare_cameras
from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.clip.images import images_in
from neoverse_ns.evaluation.data.clip_folder import BenchmarkClip, scale_intrinsics
from neoverse_ns.geometry.cameras import PinholeCameras


def import_openmvg() -> ModuleType | None:
    """The optional dependency, or None."""
    try:
        # By name, as type checkers must pass without it.
        return importlib.import_module("openmvg_rs")
    except ImportError:
        return None


def describe_openmvg(seed: int) -> str:
    """What the table says about these numbers."""
    if import_openmvg() is None:
        return "not installed (openmvg-rs)"
    return (
        f"openmvg-rs {metadata.version('openmvg-rs')}, seed {seed}: incremental engine with its own features and "
        "matches; frames at source resolution; all cores; every other option at its default"
    )


def measure_openmvg(sample: BenchmarkClip, work: Path, seed: int) -> dict[str, Any] | None:
    """Solve the sample's frames with OpenMVG, and compare as our own cameras are compared.

    Args:
        sample: A clip; its frames are taken at the size of the source.
        work: Where frames are put; emptied before.
        seed: Of everything it draws.

    Returns:
        As :func:`compare_cameras`, with seconds and peak memory, or "solved" 0 and "notes" that say why; None where
        openmvg-rs is not installed.
    """
    openmvg = import_openmvg()
    if openmvg is None:
        return None
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    images = write_frames(sample, work / "images")
    failure = None
    with PeakMemory() as memory:
        started = time.perf_counter()
        try:
            views = openmvg.reconstruct(images, seed=seed, progress=False).views
        except openmvg.OpenMVGError as error:
            views, failure = (), error
        seconds = time.perf_counter() - started
    run = {"seconds": seconds, "peak_gb": memory.peak_gb, "frames": len(sample.clip)}
    if not views:
        return run | {"solved": 0, "notes": [f"no model: {failure or 'no frame was placed'}"]}
    names = [image.name for image in images_in(images)]
    return run | compare_cameras(_cameras(views, names, (sample.clip.width, sample.clip.height)), sample.cameras)


def _cameras(views: tuple[Any, ...], names: list[str], size: tuple[int, int]) -> PinholeCameras:
    """The views' cameras in the frames' order and brought to the clip's size; NaN for frames that have none."""
    c2w = torch.full((len(names), 4, 4), torch.nan, dtype=torch.float64)
    K = torch.eye(3, dtype=torch.float64).repeat(len(names), 1, 1)
    for view in views:
        place = names.index(view.image.name)
        rotation: Tensor = torch.tensor(view.pose.rotation, dtype=torch.float64)
        c2w[place] = torch.eye(4, dtype=torch.float64)
        c2w[place, :3, :3] = rotation.T
        c2w[place, :3, 3] = torch.tensor(view.pose.center, dtype=torch.float64)
        intrinsics = torch.tensor(view.camera.matrix, dtype=torch.float64)
        # Its pixel centres are whole numbers.
        intrinsics[:2, 2] += 0.5
        K[place] = scale_intrinsics(intrinsics[None], (view.camera.width, view.camera.height), size)[0]
    return PinholeCameras(c2w, K, *size)
