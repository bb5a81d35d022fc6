"""AlexNet's convolutions with random weights, for metrics whose real backbone is not at hand."""

from __future__ import annotations

import math

import torch

SHAPES = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}


def random_alexnet() -> dict[str, torch.Tensor]:
    """Under torchvision's names, the same at every call."""
    random = torch.Generator().manual_seed(0)
    weights = {}
    for position, shape in SHAPES.items():
        scale = math.sqrt(2 / math.prod(shape[1:]))
        weights[f"features.{position}.weight"] = scale * torch.randn(shape, generator=random)
        weights[f"features.{position}.bias"] = 0.1 * torch.randn(shape[0], generator=random)
    return weights
