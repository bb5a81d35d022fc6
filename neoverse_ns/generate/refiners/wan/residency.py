"""Which component is on the device: all of them, the one whose turn it is, or one transformer block at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neoverse_ns.generate.refiners.wan.components import WanComponents
from neoverse_ns.generate.refiners.wan.config import Offload


class Residency:
    """Puts components where they are needed. Weights are only read, so nothing is ever copied back to main memory."""

    def __init__(self, components: WanComponents, device: torch.device, offload: Offload, pinned: bool = True) -> None:
        """Take charge of the components.

        Args:
            components: On `device` where nothing is offloaded, else on the CPU.
            device: That computes.
            offload: What waits in main memory.
            pinned: Whether blocks wait in pinned memory: see :class:`neoverse_ns.generate.refiners.wan.memory.Plan`.
        """
        self._modules = components.modules()
        self._device, self._offload = device, offload
        self._home: dict[str, list[tuple[Tensor, Tensor]]] = {}
        if offload == "blocks":
            _stream_blocks(components, device, pinned)

    @property
    def resident(self) -> list[str]:
        """Components that this object has moved to the device as a whole."""
        return list(self._home)

    def bring(self, name: str) -> None:
        """Have a component ready to run on the device; others that are idle leave it."""
        if self._offload == "none" or name in self._home:
            return
        self.clear()
        if self._offload == "blocks" and name != "vae":
            return  # Its own hooks fetch what is needed.
        module = self._modules[name]
        held: list[tuple[Tensor, Tensor]] = []
        for value in _values(module):
            held.append((value, value.data))
            value.data = value.data.to(self._device)
        self._home[name] = held

    def clear(self) -> None:
        """Free the device of every component that is offloaded when idle."""
        for held in self._home.values():
            for value, at_home in held:
                value.data = at_home
        if self._home and self._device.type == "cuda":
            torch.cuda.empty_cache()
        self._home.clear()


def _values(module: nn.Module) -> list[Tensor]:
    """Parameters and buffers, each once."""
    return [*module.parameters(), *module.buffers()]


def _stream_blocks(components: WanComponents, device: torch.device, pinned: bool) -> None:
    """Hooks that fetch a block before it runs, while the one before it computes, and drop it after."""
    from diffusers.hooks.group_offloading import apply_group_offloading

    overlap = device.type == "cuda"
    # The text encoder runs once, so the finest grain is good enough.
    for module, kind in ((components.transformer, "block_level"), (components.text_encoder, "leaf_level")):
        apply_group_offloading(
            module,
            onload_device=device,
            offload_device=torch.device("cpu"),
            offload_type=kind,
            num_blocks_per_group=1 if kind == "block_level" else None,
            use_stream=overlap,
            low_cpu_mem_usage=overlap and not pinned,
        )
