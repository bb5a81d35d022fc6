"""A scene for the rasteriser of any size, and how long drawing it takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from neoverse_ns.rasterize import rasterize


def pixel_grid_scene(count: int, width: int, height: int, sigma: tuple[float, float]) -> dict[str, Tensor]:
    """The leaves that rasterize() takes and `Ks`, float32, the same at every call."""
    random = torch.Generator().manual_seed(0)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=random)

    focal = 0.8 * width
    columns = math.ceil(math.sqrt(count * width / height))
    cell = torch.stack([torch.arange(count) % columns, torch.arange(count) // columns], dim=-1)
    grid = torch.tensor([columns, math.ceil(count / columns)])
    pixels = ((cell + uniform(0, 1, count, 2)) / grid * 1.06 - 0.03) * torch.tensor([width, height])
    depths = uniform(1, 5, count)
    centre = torch.tensor([width / 2, height / 2])
    return {
        "means": torch.cat([(pixels - centre) / focal * depths[:, None], depths[:, None]], dim=-1),
        "quats": torch.randn(count, 4, generator=random),
        "scales": uniform(*sigma, count, 3) * depths[:, None] / focal,
        "opacities": uniform(0.1, 1, count),
        "colors": uniform(0, 1, count, 3),
        "viewmats": torch.eye(4)[None],
        "Ks": torch.tensor([[[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]]),
    }


def milliseconds(action: Callable[[], None], repeats: int, device: str) -> tuple[float, float]:
    """Best and median duration."""
    taken = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        action()
        if device != "cpu":
            torch.cuda.synchronize()
        taken.append((time.perf_counter() - start) * 1e3)
    ordered = sorted(taken[1:])
    return ordered[0], ordered[len(ordered) // 2]


def drawing_speed(
    scene: dict[str, Tensor], width: int, height: int, backend: str, device: str, repeats: int
) -> dict[str, Any]:
    """Milliseconds forward, and forward with backward, of RGB and expected depth; best and median of `repeats`."""
    leaves: dict[str, Any] = {name: value.to(device).requires_grad_(name != "Ks") for name, value in scene.items()}

    def forward() -> None:
        with torch.no_grad():
            rasterize(**leaves, width=width, height=height, backend=backend)

    def both() -> None:
        for leaf in leaves.values():
            leaf.grad = None
        image, alpha, _ = rasterize(**leaves, width=width, height=height, backend=backend)
        (image.sum() + alpha.sum()).backward()

    with torch.no_grad():
        drawn_by = rasterize(**leaves, width=width, height=height, backend=backend)[2]["backend"]
    best, median = milliseconds(forward, repeats, device)
    best_both, median_both = milliseconds(both, repeats, device)
    return {
        "backend": drawn_by,
        "forward_best_ms": best,
        "forward_median_ms": median,
        "forward_backward_best_ms": best_both,
        "forward_backward_median_ms": median_both,
    }
