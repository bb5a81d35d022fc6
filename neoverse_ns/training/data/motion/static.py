"""Motion of a world that stands still."""

from __future__ import annotations

import torch
from jaxtyping import Float32
from torch import Tensor

from neoverse_ns.training.data.truth import Displacement


def static_displacement(depth: Float32[Tensor, "h w"]) -> Displacement:
    """Zero, known wherever depth (0 where unknown) is."""
    return Displacement(torch.zeros(*depth.shape, 3), torch.isfinite(depth) & (depth > 0))
