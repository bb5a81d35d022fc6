"""The layered scene with everything a page has to do: long Gaussians that move both ways, turn and fade."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import FRAMES
from tests.export.layered_scene import layered_scene


def stirred(layer: DynamicGaussians) -> DynamicGaussians:
    """Other shapes, turns, speeds and lives for every row; what is in the upper part moves by pixels."""
    random = torch.Generator().manual_seed(1)
    count = len(layer)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random)

    return layer.with_(
        log_scales=layer.log_scales + torch.tensor([0.8, 0.0, -0.8]) + 0.1 * normal(count, 3),
        quats=normal(count, 4) * 3,
        velocities=torch.tensor([0.12, 0.05, -0.1]) * (1 + 0.1 * normal(count, 2, 3))
        * torch.tensor([1.0, -1.0])[:, None] * (layer.means[:, 1] < 0)[:, None, None],
        angular_velocities=0.6 * normal(count, 2, 3),
        life_span_logits=1.5 + normal(count),
        opacity_logits=2.0 + normal(count),
    )  # fmt: skip


def moving_scene() -> ExportScene:
    scene = layered_scene()
    layers = scene.gaussians.replaced(FRAMES, stirred(scene.gaussians.frames))
    return replace(scene, gaussians=layers)
