"""Whether what is asked for fits the device, said before it runs, and what would fit instead."""

from __future__ import annotations

import dataclasses
from typing import Literal

from neoverse_ns.console import say, warn
from neoverse_ns.errors import MemoryShortageError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.memory import MemoryEstimate, MemoryRequest, estimate_memory, gigabytes

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


def fit_frames(
    architecture: NetworkArchitecture,
    request: MemoryRequest,
    free: int | None,
    on_shortage: OnShortage = "error",
    weights_loaded: bool = False,
) -> int:
    """Print the estimate and return how many frames may run at once.

    Args:
        architecture: Of the network.
        request: What is going to be run.
        free: Bytes free on the device, as of :func:`neoverse_ns.weights.device_memory.free_memory`; None if unknown.
        on_shortage: Refuse what does not fit, or run fewer frames at once.
        weights_loaded: The weights are on the device already, and so not part of what must be free.

    Raises:
        MemoryShortageError: It does not fit; the message offers the largest number of frames that does.
    """
    estimate = estimate_memory(architecture, request)
    what = f"{request.frames} frames of {request.width}x{request.height}"
    room = "" if free is None else f"; {gigabytes(free)} free"
    say(f"memory for {what}: about {estimate.describe()}{room}")
    if free is None or needed_bytes(estimate, weights_loaded) <= free:
        return request.frames
    most = largest_frames(architecture, request, free, weights_loaded)
    need = gigabytes(needed_bytes(estimate, weights_loaded))
    if most and on_shortage == "fewer":
        warn(f"{what} need {need} with a reserve, {gigabytes(free)} are free: {most} at a time instead")
        return most
    advice = ["smaller frames"]
    if request.head_chunk > 1:
        advice.append(f"a head_chunk under {request.head_chunk}")
    if not request.staged and not weights_loaded:
        advice.append("low_vram")
    offer = f"at most {most} fit; run fewer at a time, or use" if most else "not even one fits; use"
    raise MemoryShortageError(
        f"{what} at once need {need} with a reserve, {gigabytes(free)} are free: {offer} "
        f"{', '.join(advice[:-1])}{' or ' if len(advice) > 1 else ''}{advice[-1]}"
    )
