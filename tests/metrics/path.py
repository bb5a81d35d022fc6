"""A path and an estimate of it, of which evo 1.38.1 has said how far they are apart."""

from __future__ import annotations

import torch
from torch import Tensor

from neoverse_ns.geometry.se3 import assemble, so3_exp

EVO = {"ate": 0.053312960134662676, "rpe-t": 0.10336186122526757, "rpe-r": 2.060830023656608}
"""Root mean squares of APE (translation part) and of RPE (translation part, angle in degrees; a delta of one frame, all
pairs) after its alignment with scale."""


def recorded_case() -> tuple[Tensor, Tensor]:
    """Estimate and reference, ten cameras each."""
    i = torch.arange(10, dtype=torch.float64)
    s = i / 3
    turn = torch.stack([0.1 * s + 0.05, 0.2 * s.sin(), 0.07 * s**2], -1)
    centres = torch.stack([s, (2 * s).sin(), 0.3 * s**2], -1)
    reference = assemble(so3_exp(turn), centres)
    world = so3_exp(torch.tensor([0.4, -1.1, 2.0], dtype=torch.float64))
    off = torch.stack([0.02 * (3 * i).sin() + 0.01, 0.03 * (5 * i).cos(), 0.001 * i], -1)
    noise = 0.05 * torch.stack([(7 * i).sin(), (3 * i).cos(), (i * i).sin()], -1)
    shift = torch.tensor([5.0, -3.0, 1.0], dtype=torch.float64)
    estimate = assemble(world @ so3_exp(turn) @ so3_exp(off), 0.37 * (centres + noise) @ world.mT + shift)
    return estimate, reference
