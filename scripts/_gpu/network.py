"""The full-size network with random weights: seconds and memory for clips of several lengths, beside the estimate."""

from __future__ import annotations

from functools import cache

import torch
from _benchmark.network_speed import network_seconds, random_network

from _gpu.feedforward import TINY
from _gpu.options import Settings
from _gpu.rows import Finding
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.frame_budget import needed_bytes
from neoverse_ns.networks.neoverse.memory import MemoryRequest, estimate_memory
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork


def measure(settings: Settings, frames: int) -> Finding:
    """One run after one to warm up, in the precision in which it is used: bfloat16 on CUDA, float32 on the CPU.

    Memory is wrong where the run takes more than the estimate with its reserve, by which it is let run.

    Args:
        settings: Where.
        frames: At once.
    """
    height, width = (28, 56) if settings.tiny else (336, 560)
    network = _network(settings.device, settings.tiny)
    request = MemoryRequest(
        frames,
        height,
        width,
        precision="bfloat16" if settings.on_cuda else "float32",
        mixed_precision=settings.on_cuda,
    )
    estimate = estimate_memory(network.architecture, request)
    allowed = needed_bytes(estimate, weights_loaded=False)
    if settings.on_cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    seconds = network_seconds(network, frames, height, width, repeats=1)[0]
    values = {"frames": frames, "run_seconds": seconds, "estimated_gb": estimate.peak / 1e9}
    text = f"{seconds:.2f} s in {'bfloat16' if settings.on_cuda else 'float32'}"
    if not settings.on_cuda:
        return Finding(f"{text}, estimated {values['estimated_gb']:.1f} GB", values)
    peak, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    values |= {"peak_gb": peak / 1e9, "reserved_gb": reserved / 1e9, "allowed_gb": allowed / 1e9}
    text += f", peak {peak / 1e9:.1f} GB ({reserved / 1e9:.1f} reserved), estimated {values['estimated_gb']:.1f} GB"
    return Finding(text, values, peak <= allowed)


@cache
def _network(device: str, tiny: bool) -> NeoVerseNetwork:
    architecture = TINY if tiny else NetworkArchitecture()
    return random_network(architecture, device, "bfloat16" if device == "cuda" else "float32")
