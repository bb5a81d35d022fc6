"""Weights that take turns on a device: one stage at a time, with the results of the whole."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from neoverse_ns.networks.neoverse.low_vram import run_in_stages, stage_of
from neoverse_ns.networks.neoverse.parameter_counts import parameter_counts
from neoverse_ns.weights.staging import StagedModule
from tests.networks.neoverse.small_network import TINY, images, small_network


class Device:
    """Stands for a device: its tensors are copies, of which it knows the ones that are alive."""

    def __init__(self, room: int | None = None) -> None:
        self.room = room
        self.copies = 0
        self.peak = 0
        self._alive: list[tuple[StorageWeakRef, int]] = []

    @property
    def used(self) -> int:
        self._alive = [(reference, size) for reference, size in self._alive if not reference.expired()]
        return sum(size for _, size in self._alive)

    def take(self, tensor: Tensor, device: torch.device) -> Tensor:
        if self.room is not None and self.used + tensor.nbytes > self.room:
            raise torch.OutOfMemoryError("no room")
        copy = tensor.clone()
        self._alive.append((StorageWeakRef(copy.untyped_storage()), copy.nbytes))
        self.copies += 1
        self.peak = max(self.peak, self.used)
        return copy


def staged(device: Device) -> tuple[torch.nn.Module, StagedModule]:
    network = small_network()
    return network, StagedModule(network, "cpu", stage_of, device.take)


def resident_bytes() -> int:
    """Tokens and the camera head's first guess, which belong to modules with parts of their own."""
    dim = TINY.embed_dim
    return 4 * (2 * dim + 2 * dim + 2 * 4 * dim + 9)


def test_staged_results_are_identical() -> None:
    truth = small_network()(images()).tensors()
    network, stages = staged(Device())
    for _ in range(2):
        for name, value in network(images()).tensors().items():
            torch.testing.assert_close(value, truth[name], rtol=0, atol=0, msg=name)
    stages.close()
    for name, value in network(images()).tensors().items():
        torch.testing.assert_close(value, truth[name], rtol=0, atol=0, msg=name)


def test_only_one_stage_is_on_the_device() -> None:
    device = Device()
    network, stages = staged(device)
    assert device.used == resident_bytes()
    seen = []
    bring = stages.activate
    stages.activate = lambda stage: (seen.append(stage) if stage != stages.active else None, bring(stage))[1]  # type: ignore[method-assign]
    network(images(frames=3), head_chunk=1)
    # Every stage came once, although the Gaussian head works on three chunks.
    assert seen == [
        *("patches", "trunk", "motion", "cam_head", "depth_head", "pts_head"),
        *("velocity_fwd_head", "gs_fwd_attr_head", "velocity_bwd_head", "gs_bwd_attr_head", "gs_head"),
    ]
    sizes = stages.stage_bytes
    assert device.peak == resident_bytes() + max(sizes.values())
    assert device.copies == len(list(network.parameters()))
    stages.activate(None)
    assert device.used == resident_bytes()
    stages.close()
    assert device.used == 0
    counts = parameter_counts(TINY)
    tokens = {
        "trunk": resident_bytes() - 4 * 9 - 4 * 2 * TINY.embed_dim,
        "motion": 4 * 2 * TINY.embed_dim,
        "cam_head": 36,
    }
    assert sizes == {stage: 4 * count - tokens.get(stage, 0) for stage, count in counts.items()}


def test_weights_never_leave_main_memory() -> None:
    network = small_network()
    homes = {key: value.data_ptr() for key, value in network.state_dict().items()}
    device = Device()
    stages = StagedModule(network, "cpu", stage_of, device.take)
    network(images())
    assert any(value.data_ptr() != homes[key] for key, value in network.state_dict().items())
    stages.close()
    assert {key: value.data_ptr() for key, value in network.state_dict().items()} == homes


def test_a_device_without_room_is_left_empty() -> None:
    device = Device(room=resident_bytes() + 20_000)
    network, stages = staged(device)
    with pytest.raises(torch.OutOfMemoryError):
        network(images())
    assert stages.active is None
    assert device.used == resident_bytes()
    device.room = None
    network(images())


def test_training_is_refused() -> None:
    with pytest.raises(ValueError, match="requires_grad_"):
        run_in_stages(small_network().requires_grad_(True), "cpu")


def test_on_the_cpu_nothing_is_copied() -> None:
    network = small_network()
    homes = {key: value.data_ptr() for key, value in network.state_dict().items()}
    run_in_stages(network, "cpu")
    network(images())
    assert {key: value.data_ptr() for key, value in network.state_dict().items()} == homes


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_only_the_largest_stage_takes_memory() -> None:
    network = small_network()
    truth = small_network().cuda()(images().cuda()).tensors()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    stages = run_in_stages(network, "cuda")
    stages.activate("trunk")
    assert torch.cuda.memory_allocated() - before < 1.5 * max(stages.stage_bytes.values()) + resident_bytes()
    for name, value in network(images().cuda()).tensors().items():
        torch.testing.assert_close(value, truth[name], rtol=0, atol=0, msg=name)
