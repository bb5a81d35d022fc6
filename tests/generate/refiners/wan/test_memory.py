"""How much memory Wan takes: formulas against counted allocations of the released size, and plans made from them."""

from __future__ import annotations

import math
import weakref

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from neoverse_ns.errors import MemoryShortageError
from neoverse_ns.generate.refiners.wan.architecture import WanArchitecture
from neoverse_ns.generate.refiners.wan.config import WanConfig
from neoverse_ns.generate.refiners.wan.control import ControlInput
from neoverse_ns.generate.refiners.wan.memory import (
    ClipSize,
    ModelSize,
    choose_plan,
    pinned_bytes,
    plan_of,
    transformer_activations,
)

RELEASED = ModelSize(
    transformer=2 * 17_336_000_000,
    block=2 * 17_336_000_000 // 48,
    text_encoder=2 * 5_680_000_000,
    vae=2 * 127_000_000,
    architecture=WanArchitecture(),
    vae_width=96,
    number_bytes=2,
    pinned_transformer=53_000_000_000,
    pinned_text_encoder=14_000_000_000,
)
CLIP = ClipSize(81, 336, 560)


def test_plan_takes_the_fastest_way_that_fits():
    cuda, config = torch.device("cuda"), WanConfig()

    def plan(free_gigabytes: float, host: float = 128, **settings):
        return choose_plan(RELEASED, CLIP, WanConfig(**settings), cuda, free_gigabytes * 1e9, host * 1e9)

    assert config.offload == "auto"
    assert (plan(80).offload, plan(80).tiled) == ("none", False)
    # Published: 38 GB with components offloaded.
    assert plan(40).offload == "components"
    assert 36e9 < plan(40).device_bytes < 40e9
    assert plan(16).offload == "blocks"
    # While the transformer is pinned there are two of it.
    assert plan(16).pinned
    assert plan(16).host_bytes == RELEASED.weights + RELEASED.pinned_transformer
    assert "pinned" in str(plan(16))
    # Where that is too much, blocks are pinned one by one.
    assert (plan(16, 64).offload, plan(16, 64).pinned) == ("blocks", False)
    assert RELEASED.weights < plan(16, 64).host_bytes < 1.1 * RELEASED.weights
    with pytest.raises(MemoryShortageError, match=r"with offload=none.*: 40.0 GB are free.*: use offload=components"):
        plan(40, offload="none")
    with pytest.raises(MemoryShortageError, match=r"even offload=blocks .* does not fit"):
        plan(2)
    with pytest.raises(MemoryShortageError, match="main memory"):
        choose_plan(RELEASED, CLIP, config, cuda, 16e9, 20e9)


def test_plan_on_a_cpu_offloads_nothing():
    cpu = torch.device("cpu")
    plan = choose_plan(RELEASED, CLIP, WanConfig(), cpu, 64e9, 64e9)
    assert plan.offload == "none"
    assert plan == plan_of(RELEASED, CLIP, "none", plan.tiled, on_cpu=True)
    with pytest.raises(MemoryShortageError, match=r"do not fit on cpu .*: 10.0 GB are free"):
        choose_plan(RELEASED, CLIP, WanConfig(), cpu, 10e9, 10e9)


class _Peak(TorchDispatchMode):
    """Largest number of bytes that operations' results hold at one time."""

    def __init__(self, known: set[int]) -> None:
        super().__init__()
        self.known, self.held, self.peak = known, {}, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for value in tree_iter(out):
            if isinstance(value, torch.Tensor):
                storage = value.untyped_storage()
                if storage._cdata not in self.held and storage._cdata not in self.known:
                    self.held[storage._cdata] = storage.nbytes()
                    weakref.finalize(storage, self.held.pop, storage._cdata, None)
                    self.peak = max(self.peak, sum(self.held.values()))
        return out


def counted_forward(architecture: WanArchitecture, clip: ClipSize, kind: torch.dtype, torchs_own: bool) -> int:
    """Bytes that a forward pass holds beside weights and inputs, counted on tensors without memory."""
    frames, height, width = clip.frames, clip.height, clip.width
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        torch.set_default_dtype(kind)
        try:
            model = architecture.build()
        finally:
            torch.set_default_dtype(torch.float32)
        latents = torch.empty(1, 16, (frames - 1) // 4 + 1, height // 8, width // 8, dtype=kind)
        pixels = torch.empty(1, 1, frames, height, width), torch.empty(1, 6, frames, height, width)
        given = (
            *(latents, torch.empty(1), torch.empty(1, 512, architecture.text_dim, dtype=kind)),
            ControlInput(latents, latents, *pixels),
        )
        known = {value.untyped_storage()._cdata for value in [*model.parameters(), *model.buffers()]}
        if torchs_own:
            tracker = MemTracker()
            tracker.track_external(model)
            with tracker:
                model(*given)
            snapshot = tracker.get_tracker_snapshot("peak")[torch.device("cpu")]
            weights = sum(value.nbytes for value in [*model.parameters(), *model.buffers()])
            return int(snapshot["Total"]) - weights
        with _Peak(known) as peak:
            model(*given)
        return peak.peak


def test_sampling_takes_what_a_forward_pass_of_the_released_size_allocates() -> None:
    estimate = transformer_activations(RELEASED, CLIP)
    assert 0.97 < estimate / counted_forward(WanArchitecture(), CLIP, torch.bfloat16, False) < 1.1


@pytest.mark.parametrize("clip", [ClipSize(21, 192, 320), ClipSize(5, 96, 160)])
def test_the_count_is_torchs_own(clip: ClipSize) -> None:
    small = WanArchitecture(dim=1536, heads=12, layers=3, ffn_dim=8960, text_dim=64, control_layers=(0, 2))
    counts = [counted_forward(small, clip, torch.bfloat16, torchs_own) for torchs_own in (False, True)]
    assert counts[0] == pytest.approx(counts[1], rel=0.01)


def test_pinned_tensors_take_powers_of_two() -> None:
    assert pinned_bytes({"a": (13_824, 5_120)}, 2) == 2**28
    assert pinned_bytes({"a": (4_096, 4_096), "b": (3,), "none": (0, 5)}, 2) == 2**25 + 8
    with torch.device("meta"):
        model = WanArchitecture().build()
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    exact = 2 * sum(math.prod(shape) for shape in shapes.values())
    assert 1.4 < pinned_bytes(shapes, 2) / exact < 1.6
    assert pinned_bytes(shapes, 2) == pytest.approx(RELEASED.pinned_transformer, rel=0.02)
