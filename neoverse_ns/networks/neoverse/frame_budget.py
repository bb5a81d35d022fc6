"""Whether what is asked for fits the device, said before it runs, and what would fit instead."""

from __future__ import annotations

import dataclasses
from typing import Literal

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.memory import MemoryEstimate, MemoryRequest, estimate_memory

RESERVE = 0.1
"""Share of the activations kept for convolutions' workspaces and for the allocator's fragments."""

OnShortage = Literal["error", "fewer"]


def needed_bytes(estimate: MemoryEstimate, weights_loaded: bool) -> int:
    """Bytes that must be free, with the reserve; without the weights where they are on the device already."""
    weights = 0 if weights_loaded else estimate.weights
    return weights + int((1 + RESERVE) * estimate.activations)


def largest_frames(
    architecture: NetworkArchitecture, request: MemoryRequest, free: int, weights_loaded: bool = False
) -> int:
    """The largest number of frames, up to `request.frames`, that fits `free` bytes; 0 where not even one does."""

    def fits(frames: int) -> bool:
        smaller = dataclasses.replace(request, frames=frames)
        return needed_bytes(estimate_memory(architecture, smaller), weights_loaded) <= free

    low, high = 0, request.frames
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
