"""How many frames may pass through the network at once, by the memory that is free."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neoverse_ns.console import say, warn
from neoverse_ns.errors import MemoryShortageError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.frame_budget import RESERVE, needed_bytes
from neoverse_ns.networks.neoverse.memory import MemoryRequest, estimate_memory, gigabytes

SMALLEST_WINDOW = 4
"""Fewer frames at once cannot overlap by two keyframes and still go forward."""


@dataclass(frozen=True)
class WindowBudget:
    """A window, and the bytes that its larger pass needs, weights and a reserve included."""

    window: int
    needed: int


def needed_for(architecture: NetworkArchitecture, request: MemoryRequest, keyframes: int, window: int) -> int:
    """Bytes of the larger of both passes: keyframes with all heads, or all frames with none.

    Args:
        architecture: Of the network.
        request: With as many frames as the clip has.
        keyframes: Of the clip.
        window: Most frames at once.
    """
    lifted = estimate_memory(architecture, replace(request, frames=min(keyframes, window)))
    seen = estimate_memory(architecture, replace(request, frames=min(request.frames, window), motion=False))
    cameras = seen.weights + int((1 + RESERVE) * (seen.inputs + max(seen.patches, seen.trunk)))
    return max(needed_bytes(lifted, weights_loaded=False), cameras)


def window_that_fits(
    architecture: NetworkArchitecture, request: MemoryRequest, keyframes: int, window: int, free: int | None
) -> WindowBudget:
    """The largest window up to `window` that fits `free` bytes; says what is needed, and where less has to do.

    Args:
        architecture: Of the network.
        request: With as many frames as the clip has.
        keyframes: Of the clip.
        window: Most frames at once.
        free: Bytes free on the device; None if unknown.

    Raises:
        MemoryShortageError: Not even the smallest window fits.
    """
    wanted = min(window, max(request.frames, SMALLEST_WINDOW))
    need = needed_for(architecture, request, keyframes, wanted)
    if free is None or need <= free:
        room = "" if free is None else f" of {gigabytes(free)} free"
        say(f"the network needs about {gigabytes(need)}{room} for {min(wanted, request.frames)} frames at once")
        return WindowBudget(window, need)
    low, high = SMALLEST_WINDOW - 1, wanted - 1
    while low < high:
        middle = (low + high + 1) // 2
        fits = needed_for(architecture, request, keyframes, middle) <= free
        low, high = (middle, high) if fits else (low, middle - 1)
    if low < SMALLEST_WINDOW:
        least = needed_for(architecture, request, keyframes, SMALLEST_WINDOW)
        raise MemoryShortageError(
            f"the network needs {gigabytes(least)} even for {SMALLEST_WINDOW} frames of {request.width}x"
            f"{request.height}, {gigabytes(free)} are free: use --network.low-vram True, a smaller "
            "--network.longest-side, or --reconstructor bundle"
        )
    warn(
        f"the network needs {gigabytes(need)} for {wanted} frames at once, {gigabytes(free)} are free: windows of {low}"
    )
    return WindowBudget(low, needed_for(architecture, request, keyframes, low))
