"""The layered scene with everything a page has to do: long Gaussians that move both ways, turn and fade."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import FAR_FIELD, FRAMES
from tests.export.layered_scene import layered_scene


def stirred(layer: DynamicGaussians) -> DynamicGaussians:
    """Other shapes, turns, speeds and lives for every row; what is in the upper part moves by pixels."""
    random = torch.Generator().manual_seed(1)
    count = len(layer)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random)

    return layer.with_(
        # On a plane that faces the camera nothing but the order of rows would say what hides what.
        means=layer.means + 0.04 * normal(count, 3) * torch.tensor([0.0, 0.0, 1.0]),
        log_scales=layer.log_scales + torch.tensor([0.8, 0.0, -0.8]) + 0.1 * normal(count, 3),
        quats=normal(count, 4) * 3,
        velocities=torch.tensor([0.12, 0.05, -0.1]) * (1 + 0.1 * normal(count, 2, 3))
        * torch.tensor([1.0, -1.0])[:, None] * (layer.means[:, 1] < 0)[:, None, None],
        angular_velocities=0.6 * normal(count, 2, 3),
        life_span_logits=1.5 + normal(count),
        opacity_logits=2.0 + normal(count),
    )  # fmt: skip


def moving_scene(seconds: float = 0.5) -> ExportScene:
    """The scene, which lasts so many seconds."""
    scene = layered_scene()
    layers = scene.gaussians.replaced(FRAMES, stirred(scene.gaussians.frames))
    far = layers[FAR_FIELD]
    bent = far.means * (1 + 0.01 * far.means[:, :1].sin())
    layers = layers.replaced(FAR_FIELD, far.with_(means=bent))
    return replace(scene, gaussians=layers, seconds=2 + seconds * scene.times.double())
