"""Refined frames as bytes, once it is sure that they are frames."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.errors import RefinementError


def bytes_of(
    frames: Float[Tensor, "n h w 3"], height: int, width: int, count: int | None = None
) -> UInt8[Tensor, "n h w 3"]:
    """Refined frames, [0, 1], as bytes on the CPU.

    Args:
        frames: As a refiner gave them.
        height: That they must have.
        width: Likewise.
        count: Their number; None takes any.

    Raises:
        RefinementError: They are of another number or size, or not finite.
    """
    expected = (len(frames) if count is None else count, height, width, 3)
    if tuple(frames.shape) != expected:
        raise RefinementError(f"the refiner gave {tuple(frames.shape)} instead of {expected}")
    if not bool(frames.isfinite().all()):
        raise RefinementError("the refiner gave colours that are not finite: try another seed or refiner")
    return (frames.detach().clamp(0, 1) * 255).round().to(torch.uint8).cpu()
