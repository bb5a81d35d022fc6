"""Pictures and gradients of a backend against the same drawn in float64 by plain torch on the CPU."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from _benchmark.raster_speed import pixel_grid_scene
from jaxtyping import Float
from torch import Tensor

from _gpu.options import Settings
from _gpu.rows import Finding
from neoverse_ns.rasterize import rasterize

WIDTH, HEIGHT = 320, 192
APART = 1e-3


@dataclass(frozen=True)
class Kind:
    """Something to draw, and how closely it must agree.

    Attributes:
        sigma: Range of the Gaussians' projected standard deviations, pixels.
        options: Of `rasterize`.
        harmonics: Colours depend on the direction.
        picture: Mean difference of colours, depth and alpha, relative where a value is above 1.
        apart: Share of values that differ by more than :data:`APART`: rounding may push a Gaussian over the opacity at
            which it is left out, which a single pixel shows.
        gradients: Relative difference of any leaf's gradient (L2 norm).
    """

    sigma: tuple[float, float] = (0.5, 1.2)
    options: dict[str, Any] = field(default_factory=dict)
    harmonics: bool = False
    picture: float = 1e-5
    apart: float = 2e-4
    gradients: float = 5e-3


KINDS = {
    "pixel-sized Gaussians": Kind(),
    "antialiased, harmonics": Kind(options={"rasterize_mode": "antialiased", "sh_degree": 2}, harmonics=True),
    # gsplat 1.4 cuts Gaussians off at three standard deviations; ours end where their opacity does.
    "large Gaussians": Kind(sigma=(4.0, 16.0), picture=2e-4, apart=3e-2, gradients=5e-2),
    "nothing in view": Kind(),
}


@dataclass(frozen=True)
class Drawn:
    """A picture, and the gradients of one random weighting of all its values; float64 on the CPU."""

    values: Float[Tensor, " n"]
    gradients: dict[str, Tensor]
    backend: str


def measure(settings: Settings, kind: str, backend: str | None = None) -> Finding:
    """Largest and mean difference of the picture, and the largest of the gradients.

    Args:
        settings: Where to draw.
        kind: One of :data:`KINDS`.
        backend: Of `rasterize`; by default the device's own.
    """
    chosen = KINDS[kind]
    width, height = (60, 36) if settings.tiny else (WIDTH, HEIGHT)
    scene = two_views(chosen, 300 if settings.tiny else 12_000, width, height, visible=kind != "nothing in view")
    own = backend or ("gsplat" if settings.on_cuda else "cpu")
    here = {name: value.to(settings.device) for name, value in scene.items()}
    ours = draw(here, width, height, own, chosen.options)
    twin = draw({name: value.double() for name, value in scene.items()}, width, height, "torch", chosen.options)
    return compare(ours, twin, chosen)


def compare(ours: Drawn, twin: Drawn, kind: Kind) -> Finding:
    """Differences between two drawings of one thing, and whether they are small enough."""
    error = (ours.values - twin.values).abs() / twin.values.abs().clamp_min(1)
    mean, largest, apart = float(error.mean()), float(error.max()), float((error > APART).double().mean())
    gradients = {name: _difference(ours.gradients[name], value) for name, value in twin.gradients.items()}
    worst = max(gradients, key=gradients.__getitem__)
    good = mean <= kind.picture and apart <= kind.apart and gradients[worst] <= kind.gradients
    return Finding(
        f"picture {mean:.1e} (largest {largest:.1e}), gradients {gradients[worst]:.1e} ({worst})",
        {"backend": ours.backend, "mean": mean, "largest": largest, "apart": apart, "gradients": gradients},
        good,
    )


def _difference(ours: Tensor, twin: Tensor) -> float:
    """Relative difference (L2 norm); 0 where both are zero, infinite where either holds what is no number."""
    if not bool(torch.isfinite(ours).all()):
        return math.inf
    return float((ours - twin).norm() / twin.norm().clamp_min(1e-30))


def two_views(kind: Kind, count: int, width: int, height: int, visible: bool = True) -> dict[str, Tensor]:
    """A scene for two cameras, one of them turned; every tenth Gaussian is behind them, or all are."""
    scene = pixel_grid_scene(count, width, height, kind.sigma)
    behind = torch.arange(count) % 10 == 0 if visible else torch.ones(count, dtype=torch.bool)
    scene["means"][behind] *= -1
    turned = torch.eye(4)
    turned[:3, :3] = torch.linalg.matrix_exp(torch.tensor([[0, -0.03, 0.05], [0.03, 0, -0.04], [-0.05, 0.04, 0]]))
    turned[:3, 3] = torch.tensor([0.1, -0.05, 0.02])
    scene["viewmats"] = torch.stack([torch.eye(4), turned])
    scene["Ks"] = scene["Ks"].expand(2, 3, 3).contiguous()
    if kind.harmonics:
        scene["colors"] = 0.4 * torch.randn(count, 9, 3, generator=torch.Generator().manual_seed(1))
    return scene


def draw(scene: dict[str, Tensor], width: int, height: int, backend: str, options: dict[str, Any]) -> Drawn:
    """Draw RGB and expected depth over a background, and go back."""
    like = scene["means"]
    leaves = {name: value.clone().requires_grad_() for name, value in scene.items() if name != "Ks"}
    leaves["backgrounds"] = like.new_tensor([[0.1, 0.5, 0.9], [0.7, 0.3, 0.2]]).requires_grad_()
    image, alpha, meta = rasterize(**leaves, Ks=scene["Ks"], width=width, height=height, backend=backend, **options)
    values = torch.cat([image.flatten(), alpha.flatten()])
    random = torch.Generator().manual_seed(2)
    weights = torch.randn(values.shape, generator=random, dtype=torch.float64).to(values)
    (values * weights).sum().backward()
    found = {name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for name, leaf in leaves.items()}
    gradients = {name: gradient.double().cpu() for name, gradient in found.items()}
    return Drawn(values.detach().double().cpu(), gradients, meta["backend"])
