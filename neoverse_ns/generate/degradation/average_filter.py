"""Box filters over depth maps."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad


def average_filter(depth: Float[Tensor, "*batch h w"], kernel: int) -> Float[Tensor, "*batch h w"]:
    """Mean over a square window, the border's values continued outwards.

    Args:
        depth: Any map.
        kernel: Side of the window in pixels; an even one is made one larger, so that it has a middle.
    """
    kernel += 1 - kernel % 2
    # Differences of running sums cost the same for any window; double precision keeps their rounding harmless.
    flat = depth.reshape(-1, 1, *depth.shape[-2:]).to(torch.float64)
    for axis in (-1, -2):
        # One value more before the first window, so that every window is a difference of two sums.
        ends = (kernel // 2 + 1, kernel // 2)
        sums = pad(flat, (*ends, 0, 0) if axis == -1 else (0, 0, *ends), mode="replicate").cumsum(axis)
        length = flat.shape[axis]
        flat = (sums.narrow(axis, kernel, length) - sums.narrow(axis, 0, length)) / kernel
    return flat.reshape(depth.shape).to(depth.dtype)


def average_covered(
    depth: Float[Tensor, "*batch h w"], covered: Bool[Tensor, "*batch h w"], kernel: int
) -> Float[Tensor, "*batch h w"]:
    """The same over the covered pixels of every window alone; 0 where a window has none.

    A hole has no depth: as zeros it would draw its border toward the camera.
    """
    if bool(covered.all()):
        return average_filter(depth, kernel)
    weights = covered.to(depth.dtype)
    total = average_filter(depth * weights, kernel)
    share = average_filter(weights, kernel)
    # Less than half a pixel of a window is rounding.
    found = share * kernel**2 > 0.5
    return torch.where(found, total / torch.where(found, share, 1.0), 0.0)
