"""A known scene optimised for some steps: on the CPU first, then where it is checked, to the same quality."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from _gpu.options import Settings
from _gpu.rows import Finding
from _gpu.scene import KnownScene, known_scene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.image import psnr
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.optimise.early_stop import EarlyStopConfig
from neoverse_ns.optimise.loop import optimise
from neoverse_ns.rasterize import rasterize
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.scene import Scene

TOLERANCE = 0.1
"""Decibels that both devices may differ by."""
RESULT = "optimised_on_the_cpu.json"


def measure(settings: Settings, device: str, compare: bool = False) -> Finding:
    """PSNR of the training frames and of a camera that was never seen, before and after; seconds.

    Args:
        settings: Decides the size.
        device: Where it is optimised and drawn.
        compare: With what the CPU left, which must be the same within the tolerance.
    """
    folder = Path(settings.folder)
    frames, width, height, steps = (4, 48, 28, 6) if settings.tiny else (13, 384, 224, 100)
    known = known_scene(folder, frames, width, height)
    before = quality(known, known.scene, device)
    # Rates of neoverse-quick, whose number of steps this is. Every frame is a keyframe: there are none between them
    # whose blending would have to be learned at the expense of what is measured here.
    config = OptimiseConfig(steps=steps, speed=2.0, blend_share=0.0, early_stop=EarlyStopConfig(improvement=0.0))
    # The first steps of a process load and set up much that no later one does.
    optimise(known.scene, replace(config, steps=2), device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    result = optimise(known.scene, config, device)
    after = quality(known, result, device)
    seconds = result.geometry.report["optimise"]["seconds"]
    values: dict[str, Any] = {
        "before": before,
        "after": after,
        "seconds": seconds,
        "steps": steps,
        "gaussians": known.scene.gaussians.count if known.scene.gaussians is not None else 0,
        "backend": _backend(device),
    }
    text = f"{_words(before)} to {_words(after)}; {steps} steps in {seconds:.1f} s by {values['backend']}"
    if device == "cuda":
        values["peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
        text += f", {values['peak_gb']:.1f} GB"
    good = after["training"] > before["training"]
    if compare:
        reference = json.loads((folder / RESULT).read_text("utf8"))
        apart = {name: after[name] - reference[name] for name in after}
        values["beside_the_cpu"] = apart
        text += f"; beside the CPU {', '.join(f'{value:+.3f}' for value in apart.values())} dB"
        good = good and all(abs(value) <= TOLERANCE for value in apart.values())
    else:
        (folder / RESULT).write_text(json.dumps(after), "utf8")
    return Finding(text, values, good)


def quality(known: KnownScene, scene: Scene, device: str) -> dict[str, float]:
    """Mean PSNR in dB, drawn on `device`: `training` frames with their cameras as they stand, and the one `aside`."""
    return {
        "training": _mean_psnr(scene, scene.geometry.cameras, known.scene.clip.frames, device),
        "aside": _mean_psnr(scene, known.aside, known.images, device),
    }


@torch.no_grad()
def _mean_psnr(scene: Scene, cameras: PinholeCameras, images: UInt8[Tensor, "n h w 3"], device: str) -> float:
    assert scene.gaussians is not None
    gaussians = scene.gaussians.to(device)
    viewmats, K = cameras.viewmats.to(device), cameras.K.to(device)
    values = []
    for frame, time in enumerate(scene.clip.times.tolist()):
        view = draw_layers(gaussians, time, viewmats[[frame]], K[[frame]], cameras.width, cameras.height)
        values.append(psnr(view.rgb[0].clamp(0, 1).cpu(), images[frame].float() / 255))
    return statistics.fmean(values)


def _backend(device: str) -> str:
    """Who draws there."""
    one = torch.ones(1, 3, device=device)
    view = torch.eye(4, device=device)[None]
    quats = torch.nn.functional.pad(one, (0, 1))
    return rasterize(one, quats, one, one[:, 0], one, view, view[:, :3, :3], 4, 4)[2]["backend"]


def _words(values: dict[str, float]) -> str:
    return f"{values['training']:.2f} / {values['aside']:.2f} dB"
