"""A training step of the full-size reconstructor with random weights: seconds, memory, the share of drawing."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import torch

from _gpu.feedforward import TINY
from _gpu.options import Settings
from _gpu.rows import Finding
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.training.data.batch import TrainingBatch, collate
from neoverse_ns.training.data.draw import SampleConfig, draw_sample
from neoverse_ns.training.data.make_sample import make_sample
from neoverse_ns.training.data.sets.worlds import WorldRows, Worlds
from neoverse_ns.training.reconstructor.initial import InitialConfig, starting_network
from neoverse_ns.training.reconstructor.losses.config import LossConfig
from neoverse_ns.training.reconstructor.objective import Objective

MOST_BYTES = 80e9
"""Of the accelerators that the paper's settings are made for."""


def measure(settings: Settings, keyframes: int) -> Finding:
    """The second of two steps, forward and backward with AdamW, as `train-reconstructor` takes them.

    Wrong where loss or gradients are not finite, or where it would not fit into 80 GB.

    Args:
        settings: Where.
        keyframes: Of the one clip of the step.
    """
    height, width = (28, 56) if settings.tiny else (336, 560)
    objective, optimiser = _learner(settings.device, settings.tiny)
    batch = _batch(keyframes, height, width).to(settings.device)
    if settings.on_cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    seconds, losses, finite = 0.0, [], True
    for _ in range(2):
        started = time.perf_counter()
        optimiser.zero_grad()
        total = objective(batch).total
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(objective.parameters(), 1.0)
        finite = finite and bool(torch.isfinite(total) & torch.isfinite(norm))
        optimiser.step()
        losses.append(float(total.detach()))
        seconds = time.perf_counter() - started
    values = {"keyframes": keyframes, "step_seconds": seconds, "losses": losses}
    text = f"{seconds:.2f} s, loss {losses[0]:.2f} then {losses[1]:.2f}"
    if not settings.on_cuda:
        return Finding(text, values, finite)
    peak = torch.cuda.max_memory_allocated()
    return Finding(f"{text}, peak {peak / 1e9:.1f} GB", values | {"peak_gb": peak / 1e9}, finite and peak < MOST_BYTES)


@cache
def _learner(device: str, tiny: bool) -> tuple[Objective, torch.optim.Optimizer]:
    architecture = TINY if tiny else NetworkArchitecture()
    network = starting_network(InitialConfig("scratch"), architecture, 0, 56 if tiny else 560).to(device)
    # Weights of VGG are not everywhere; they would add little to a step.
    objective = Objective(network, LossConfig(lpips=0.0))
    return objective, torch.optim.AdamW(objective.parameters(), 1e-5)


def _batch(keyframes: int, height: int, width: int) -> TrainingBatch:
    """A sample of a synthetic world, whose frames are drawn for it."""
    row = WorldRows(1, width=width, height=height)[0]
    clip = Worlds().open(Path(), row)
    generator = torch.Generator().manual_seed(0)
    draw = draw_sample(clip.info, keyframes, height, width, SampleConfig(), generator)
    return collate([(make_sample(clip, draw), row.id)])
