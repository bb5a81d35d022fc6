"""A picture together with the gradients of everything it was drawn from, and how two of them are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neoverse_ns.rasterize import rasterize
from tests.rasterize.raster_scenes import LEAVES


@dataclass(frozen=True)
class Drawing:
    """What `rasterize` returned, and gradients of one random weighting of all its values."""

    image: Tensor
    alpha: Tensor
    meta: dict[str, Any]
    gradients: dict[str, Tensor]


def draw(
    scene: dict[str, Tensor],
    width: int,
    height: int,
    *,
    dtype: torch.dtype = torch.float32,
    background: Tensor | None = None,
    **options: Any,
) -> Drawing:
    """Draw with all tensors converted to `dtype`; the weighting behind the gradients is the same for every type."""
    device = scene["means"].device
    leaves = {name: scene[name].to(dtype).detach().requires_grad_() for name in LEAVES}
    if background is not None:
        leaves["backgrounds"] = background.to(dtype).detach().requires_grad_()
    image, alpha, meta = rasterize(**leaves, Ks=scene["Ks"].to(dtype), width=width, height=height, **options)
    random = torch.Generator().manual_seed(1)
    weights = [torch.randn(x.shape, generator=random, dtype=torch.float64).to(device) for x in (image, alpha)]
    ((image * weights[0]).sum() + (alpha * weights[1]).sum()).backward()
    gradients = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
    return Drawing(image.detach(), alpha.detach(), meta, gradients)


def draw_twin(scene: dict[str, Tensor], width: int, height: int, **options: Any) -> Drawing:
    """The same in float64 with the plain-torch rasteriser."""
    return draw(scene, width, height, dtype=torch.float64, backend="torch", **options)


def assert_same_picture(actual: Tensor, expected: Tensor, tolerance: float = 2e-5) -> None:
    """Equal but for a few values: rounding may push a Gaussian over the 1/255 or the 1e-4 threshold."""
    assert actual.shape == expected.shape
    error = (actual.double() - expected.double()).abs() / (1 + expected.double().abs())
    assert error.max() < 0.02
    assert (error > tolerance).double().mean() < 0.005


def assert_same_gradients(actual: Drawing, expected: Drawing, tolerance: float = 5e-4) -> None:
    """Equal in the relative L2 norm."""
    assert actual.gradients.keys() == expected.gradients.keys()
    for name, value in expected.gradients.items():
        assert value.norm() > 0, name
        assert (actual.gradients[name].double() - value.double()).norm() / value.norm() < tolerance, name
