"""How much of every Gaussian a flat drawing needs, so that it looks like the layered one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.rasterize.drawing import Drawing

STEPS, RATE = 8, 0.3
"""Few and wide, because which Gaussians stay is nearly decided before."""
FAINT = 3e-3
"""Share of the steepest slope below which a Gaussian is left as it is."""
OWN_WEIGHT = 4.0
"""Of the clip's own camera, beside the cameras aside."""


def fit_gates(
    now: GaussiansAtTime,
    chosen: Bool[Tensor, " m"],
    free: Bool[Tensor, " m"],
    target: Float[Tensor, "c h w 3"],
    draw: Callable[[GaussiansAtTime], Drawing],
) -> Float[Tensor, " m"]:
    """Factors on the opacities, from 0 to 1, with which the pictures come nearest to the target.

    Args:
        now: All Gaussians of the instant.
        chosen: Which of them to begin with.
        free: Which may be chosen otherwise; the factor of all others is 1.
        target: What the pictures shall show, the clip's own camera first.
        draw: Draws Gaussians from the target's cameras, differentiably.
    """
    if not bool(free.any()):
        return torch.ones_like(now.opacities)
    weights = torch.ones(len(target), device=target.device)
    weights[0] = OWN_WEIGHT
    with torch.enable_grad():
        # A little beyond nothing, so that what was left out can come back.
        gates = torch.where(chosen, 1.0, 0.1).to(now.opacities).requires_grad_()
        optimiser = torch.optim.Adam([gates], lr=RATE)
        for step in range(STEPS):
            factors = torch.where(free, gates, torch.ones_like(gates))
            drawn = draw(replace(now, opacities=now.opacities * factors))
            loss = (weights * (drawn.rgb - target).square().mean((1, 2, 3))).sum()
            optimiser.zero_grad()
            loss.backward()
            if step == 0:
                # What hardly shows in any picture is not theirs to decide; it may be needed elsewhere.
                assert gates.grad is not None
                optimiser.param_groups[0]["eps"] = max(FAINT * float(gates.grad.abs().max()), 1e-12)
            optimiser.step()
            with torch.no_grad():
                gates.clamp_(0, 1)
    return torch.where(free, gates.detach(), torch.ones_like(gates))
