"""The glasses' sensor lies on its side: pictures and cameras are turned upright together."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64, Shaped
from torch import Tensor

_AXES = torch.tensor([[0.0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=torch.float64)
"""The upright camera's axes in the axes of the one on its side: right is what was up, down is what was right."""


def upright(image: Shaped[np.ndarray, "h w *c"]) -> Shaped[np.ndarray, "w h *c"]:
    """A quarter turn clockwise."""
    return np.ascontiguousarray(np.rot90(image, -1))


def upright_camera(
    c2w: Float64[Tensor, "4 4"], K: Float64[Tensor, "3 3"], height: int
) -> tuple[Float64[Tensor, "4 4"], Float64[Tensor, "3 3"]]:
    """The camera of a picture that was turned so.

    Args:
        c2w: Camera to world, OpenCV axes.
        K: In pixels, centres at +0.5.
        height: Of the picture before it is turned.
    """
    turned = torch.eye(3, dtype=torch.float64)
    turned[0, 0], turned[1, 1] = K[1, 1], K[0, 0]
    turned[0, 2], turned[1, 2] = height - K[1, 2], K[0, 2]
    return c2w @ _AXES, turned
