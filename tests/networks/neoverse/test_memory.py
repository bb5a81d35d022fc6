"""The memory estimate against exact counts of weights and measured peaks, and what is offered where it does not fit."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

import pytest
import torch

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.checkpoint import type_in
from neoverse_ns.networks.neoverse.frame_budget import largest_frames, needed_bytes
from neoverse_ns.networks.neoverse.low_vram import stage_of
from neoverse_ns.networks.neoverse.memory import MemoryRequest, estimate_memory, weight_bytes
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.networks.neoverse.parameter_counts import matrix_counts, parameter_counts
from neoverse_ns.weights import device_memory
from tests.fixtures.published import REDUCED, read_json
from tests.networks.neoverse.memory_tracker import MemoryTracker
from tests.networks.neoverse.small_network import TINY, UNEVEN, small_network

RELEASED = NetworkArchitecture()
CLIP = MemoryRequest(frames=21, height=336, width=560, mixed_precision=True)
STAGES = ("patches", "trunk", "motion", "heads")


@pytest.mark.parametrize(
    "architecture", [RELEASED, TINY, UNEVEN, NetworkArchitecture("dinov2_vits14_reg", 384, 4, 6, (0, 1, 2, 3))]
)
def test_weights_are_counted_exactly(architecture: NetworkArchitecture) -> None:
    with torch.device("meta"):
        network = NeoVerseNetwork(architecture)
    counts, halves = Counter(), Counter()
    for key, value in network.state_dict().items():
        counts[stage_of(key)] += value.numel()
        if type_in("bfloat16")(key, value) == torch.bfloat16:  # type: ignore[operator]
            halves[stage_of(key)] += value.numel()
    assert parameter_counts(architecture) == counts
    assert {stage: count for stage, count in matrix_counts(architecture).items() if count} == halves
    assert weight_bytes(architecture) == 4 * counts.total()
    assert weight_bytes(architecture, "bfloat16") == 4 * counts.total() - 2 * halves.total()
    assert weight_bytes(architecture, staged=True) == 4 * max(counts.values())


def test_the_released_network_has_the_published_number_of_weights() -> None:
    shapes = read_json(REDUCED, "reconstructor_keys")
    assert sum(parameter_counts(RELEASED).values()) == sum(math.prod(shape) for shape in shapes.values())


@pytest.mark.parametrize(
    ("architecture", "request_"),
    [
        (TINY, MemoryRequest(6, 112, 140, head_chunk=2)),
        (TINY, MemoryRequest(6, 112, 140, head_chunk=8, batch=2)),
        (TINY, MemoryRequest(5, 112, 140, head_chunk=2, mixed_precision=True)),
        (TINY, MemoryRequest(4, 112, 140, motion=False)),
        (UNEVEN, MemoryRequest(1, 140, 140)),
        (dataclasses.replace(UNEVEN, embed_dim=192), MemoryRequest(4, 84, 112, head_chunk=1)),
    ],
)
def test_estimate_is_close_to_what_is_measured(architecture: NetworkArchitecture, request_: MemoryRequest) -> None:
    """Every byte that a real forward pass holds at once, on the CPU, against the closed form; stage by stage too."""
    network = small_network(architecture)
    tracker = MemoryTracker()
    for name, layer in network.named_modules():
        if not list(layer.children()) and list(layer.parameters(recurse=False)):
            stage = stage_of(name)
            section = stage if stage in STAGES else "heads"
            layer.register_forward_pre_hook(lambda *_, section=section: tracker.enter(section))
    r = request_
    images = torch.rand(r.batch, r.frames, 3, r.height, r.width)
    with tracker:
        network(images, use_motion=r.motion, head_chunk=r.head_chunk, mixed_precision=r.mixed_precision)
    estimate = estimate_memory(architecture, r)
    assert 0.97 < (estimate.activations - estimate.inputs) / tracker.peak < 1.25
    for stage in ("trunk", "motion"):
        if stage in tracker.peaks:
            assert 0.95 < getattr(estimate, stage) / tracker.peaks[stage] < 1.25, stage
    assert estimate.inputs == images.nbytes


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("frames", (1, 2, 3, 8, 9, 81)),
        ("height", (14, 28, 336, 700)),
        ("width", (14, 28, 560, 1008)),
        ("batch", (1, 2, 3)),
        ("head_chunk", (1, 2, 8, 21)),
        ("motion", (False, True)),
        ("mixed_precision", (True, False)),
        ("precision", ("bfloat16", "float32")),
        ("staged", (True, False)),
    ],
)
def test_more_never_needs_less(field: str, values: tuple) -> None:
    peaks = [estimate_memory(RELEASED, dataclasses.replace(CLIP, **{field: value})).peak for value in values]
    assert peaks == sorted(peaks)
    if field not in ("motion", "mixed_precision"):
        assert peaks[0] < peaks[-1]
    for name in ("depth", "embed_dim", "gs_dim", "features"):
        factor = {"depth": 2, "embed_dim": 2}.get(name, 4)
        larger = dataclasses.replace(UNEVEN, **{name: factor * getattr(UNEVEN, name)})
        assert estimate_memory(larger, CLIP).peak > estimate_memory(UNEVEN, CLIP).peak


def test_the_largest_number_of_frames_is_the_largest() -> None:
    whole = needed_bytes(estimate_memory(RELEASED, CLIP), False)
    assert largest_frames(RELEASED, CLIP, whole) == CLIP.frames
    for free in (whole - 1, whole * 3 // 4, int(10e9)):
        most = largest_frames(RELEASED, CLIP, free)
        assert 0 < most < CLIP.frames
        for frames, fits in ((most, True), (most + 1, False)):
            request = dataclasses.replace(CLIP, frames=frames)
            assert (needed_bytes(estimate_memory(RELEASED, request), False) <= free) == fits
    assert largest_frames(RELEASED, CLIP, int(1e9)) == 0
    # Weights that are there already leave the room to the frames.
    assert largest_frames(RELEASED, CLIP, int(8e9), weights_loaded=True) > largest_frames(RELEASED, CLIP, int(8e9))


def test_free_memory_of_this_machine(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = device_memory.free_memory("cpu")
    assert free is None or 1e7 < free < 1e14
    assert device_memory.free_memory("meta") is None
    for name, text in {"memory.max": "5000", "memory.current": "4000"}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "memory.stat").write_text("anon 3\nactive_file 300\ninactive_file 200\nfile 900\n")
    monkeypatch.setattr(device_memory, "_CGROUP", tmp_path)
    assert device_memory.free_memory("cpu") == 1500
    (tmp_path / "memory.max").write_text("max")
    assert device_memory.free_memory("cpu") != 1500
