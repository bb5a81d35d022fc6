"""Box filters over depth maps."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad


def average_filter(depth: Float[Tensor, "*batch h w"], kernel: int) -> Float[Tensor, "*batch h w"]:
    """Mean over a square window, the border's values continued outwards.

    Args:
        depth: Any map.
        kernel: Side of the window in pixels; an even one is made one larger, so that it has a middle.
    """
    kernel += 1 - kernel % 2
    half = kernel // 2
    flat = depth.reshape(-1, 1, *depth.shape[-2:])
    # Along rows, then along columns: the cost grows with the window's side instead of its area.
    flat = avg_pool2d(pad(flat, (half, half, 0, 0), mode="replicate"), (1, kernel), stride=1)
    flat = avg_pool2d(pad(flat, (0, 0, half, half), mode="replicate"), (kernel, 1), stride=1)
    return flat.reshape(depth.shape)


def average_covered(
    depth: Float[Tensor, "*batch h w"], covered: Bool[Tensor, "*batch h w"], kernel: int
) -> Float[Tensor, "*batch h w"]:
    """The same over the covered pixels of every window alone; 0 where a window has none.

    A hole has no depth: as zeros it would draw its border toward the camera.
    """
    weights = covered.to(depth.dtype)
    total = average_filter(depth * weights, kernel)
    return torch.where(total > 0, total / average_filter(weights, kernel).clamp_min(1e-12), torch.zeros_like(total))
