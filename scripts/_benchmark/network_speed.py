"""Time and memory of the network and of what follows it."""

from __future__ import annotations

import statistics
import time

import torch
from torch.profiler import ProfilerActivity, profile

from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.checkpoint import Precision, type_in
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork

SMALL = NetworkArchitecture(
    patch_embed="dinov2_vits14_reg",
    embed_dim=384,
    depth=4,
    heads=6,
    taps=(0, 1, 2, 3),
    gs_dim=64,
    features=64,
    out_channels=(48, 96, 192, 384),
)
"""A network that a CPU runs in seconds: ViT-S, four trunk layers, the dense heads that ViT-S usually gets."""


def meta_build() -> tuple[float, float | None]:
    """Seconds to build the released network without storage, and the process's peak memory in 10^9 bytes."""
    with PeakMemory() as memory:
        begun = time.perf_counter()
        with torch.device("meta"):
            NeoVerseNetwork()
        seconds = time.perf_counter() - begun
    return seconds, memory.peak_gb


def random_network(architecture: NetworkArchitecture, device: str, precision: Precision = "float32") -> NeoVerseNetwork:
    """A network of small random weights, the same at every call, stored as :func:`load_network` would store them."""
    with torch.device("meta"):
        network = NeoVerseNetwork(architecture).eval()
    wanted = type_in(precision)
    random = torch.Generator(device).manual_seed(0)
    state = {}
    for name, tensor in network.state_dict().items():
        dtype = wanted if isinstance(wanted, torch.dtype) else wanted(name, tensor)
        state[name] = torch.empty(tensor.shape, device=device, dtype=dtype).normal_(0, 0.02, generator=random)
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False)


def network_seconds(network: NeoVerseNetwork, frames: int, height: int, width: int, repeats: int) -> list[float]:
    """Duration of each of `repeats` runs on random frames, after one that is not counted; ascending."""
    device = next(network.parameters()).device
    images = torch.rand(1, frames, 3, height, width, generator=torch.Generator().manual_seed(0)).to(device)
    taken = []
    with torch.inference_mode():
        for _ in range(repeats + 1):
            begun = time.perf_counter()
            network(images)
            if device.type == "cuda":
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - begun)
    return sorted(taken[1:])


def top_operations(
    network: NeoVerseNetwork, frames: int, height: int, width: int, rows: int
) -> list[tuple[str, float]]:
    """The operations that take most processor time, with their share in percent."""
    with profile(activities=[ProfilerActivity.CPU]) as record:
        network_seconds(network, frames, height, width, repeats=0)
    events = record.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    ordered = sorted(events, key=lambda event: event.self_cpu_time_total, reverse=True)
    return [(event.key, 100 * event.self_cpu_time_total / total) for event in ordered[:rows]]


def keyframe_gaussians(keyframes: int, height: int, width: int) -> DynamicGaussians:
    """Random Gaussians as the network gives them: one per pixel of every keyframe, alive between its neighbours."""
    pixels = height * width
    count = keyframes * pixels
    random = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random)

    times = torch.linspace(0, 1, keyframes)
    gap = 1 / max(keyframes - 1, 1)
    return DynamicGaussians(
        means=normal(count, 3),
        quats=normal(count, 4),
        log_scales=normal(count, 3) - 4,
        opacity_logits=normal(count),
        sh=normal(count, 1, 3),
        keyframe=torch.arange(keyframes).repeat_interleave(pixels),
        interval=torch.stack([times - gap, times, times + gap], dim=-1).repeat_interleave(pixels, dim=0),
        velocities=normal(count, 2, 3),
        angular_velocities=normal(count, 2, 3),
        life_span_logits=normal(count),
        dynamic=torch.ones(count, dtype=torch.bool),
    )


def transition_milliseconds(gaussians: DynamicGaussians, repeats: int) -> tuple[list[float], list[float]]:
    """Wall and processor time of selecting and moving the Gaussians to times between keyframes; ascending."""
    wall, processor = [], []
    with torch.no_grad():
        at_time(gaussians, 0.01)
        for number in range(repeats):
            moment = (number + 0.513) / repeats
            begun, used = time.perf_counter(), time.process_time()
            at_time(gaussians, moment)
            processor.append(1e3 * (time.process_time() - used))
            wall.append(1e3 * (time.perf_counter() - begun))
    return sorted(wall), sorted(processor)


def best_and_median(values: list[float]) -> tuple[float, float]:
    return values[0], statistics.median(values)
