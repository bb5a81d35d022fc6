"""Inpainting by fast marching, the baseline."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.registry import get_refiner
from tests.generate.test_base import some_conditions


def test_holes_are_closed_and_nothing_else_changes() -> None:
    rgb = torch.linspace(0, 1, 32)[None, None, :, None].expand(2, 24, 32, 3).contiguous()
    alpha = torch.ones(2, 24, 32)
    alpha[0, 8:14, 10:18] = 0
    alpha[1, :, 0:4] = 0.8
    conditions = replace(some_conditions(2, 24, 32), rgb=rgb * alpha[..., None], alpha=alpha)
    finished = get_refiner(RefinerConfig(refiner="telea")).refine(conditions)
    covered = alpha == 1
    assert torch.equal(finished[covered], rgb[covered])
    # Half open pixels were drawn over black.
    assert torch.allclose(finished, rgb, atol=0.1)
    assert torch.allclose(finished[1], rgb[1], atol=1e-6)


def test_a_frame_without_anything_stays_black_and_a_first_frame_stays() -> None:
    conditions = some_conditions(2, 16, 16, first_frame=True)
    empty = replace(conditions, alpha=torch.zeros_like(conditions.alpha), rgb=conditions.rgb.clamp(0, 1))
    empty.rgb[1] = 0
    finished = get_refiner(RefinerConfig(refiner="telea")).refine(empty)
    assert torch.equal(finished[0], empty.rgb[0])
    assert not finished[1].any()
