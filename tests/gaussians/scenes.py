"""Random 4D Gaussians for tests."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians


def random_gaussians(count: int = 50, seed: int = 0, dtype: torch.dtype = torch.float32) -> DynamicGaussians:
    """Gaussians of three keyframes at 0, 0.5 and 1; every fifth is constant."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    keyframe = torch.arange(count) % 3
    at = keyframe.to(dtype) / 2
    return DynamicGaussians(
        means=normal(count, 3),
        quats=normal(count, 4),
        log_scales=normal(count, 3) - 2,
        opacity_logits=normal(count),
        sh=normal(count, 1, 3),
        keyframe=keyframe,
        interval=torch.stack([at - 0.5, at, at + 0.5], dim=-1),
        velocities=normal(count, 2, 3),
        angular_velocities=normal(count, 2, 3),
        life_span_logits=normal(count),
        dynamic=torch.arange(count) % 5 != 0,
    )
