"""Small corrections of the estimated cameras, learned from the training frames."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.optimise.frame_weights import frame_weights


def corrected(viewmats: Float[Tensor, "n 4 4"], twists: Float[Tensor, "n 6"]) -> Float[Tensor, "n 4 4"]:
    """World-to-camera matrices corrected from the left: exp(twist) @ viewmat; twists have translation first."""
    return se3_exp(twists).to(viewmats) @ viewmats


class CameraTwists(nn.Module):
    """One twist per training frame; frames between them follow by interpolation.

    Held-out frames take the interpolation of their training neighbours' twists: corrections move the scene together
    with its cameras, and a held-out camera that stayed behind would be judged against a scene that has moved.

    Args:
        train: Positions of the training frames among the sampled ones, ascending.
        held_out: Positions of the others.
    """

    def __init__(self, train: list[int], held_out: list[int]) -> None:
        super().__init__()
        self.adjustment = nn.Parameter(torch.zeros(len(train), 6))
        self.register_buffer("weights", frame_weights(train, held_out), persistent=False)

    def forward(self, viewmats: Float[Tensor, "m 4 4"], frames: Int[Tensor, " m"]) -> Float[Tensor, "m 4 4"]:
        """World-to-camera matrices of the sampled frames `frames`, corrected."""
        assert isinstance(self.weights, Tensor)
        return corrected(viewmats, (self.weights @ self.adjustment)[frames])
