"""Camera head: iterative refinement of one 9-vector per frame (VGGT's, with adaptive norms of DiT)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.geometry import se3
from neoverse_ns.networks.neoverse.blocks import Block, Mlp

CAMERA_VALUES = 9
"""World-to-camera translation 3, quaternion xyzw 4, vertical and horizontal field of view."""


class CameraHead(nn.Module):
    """Reads the camera tokens of the last tap.

    Args:
        dim: Width of the tokens, twice the trunk's.
        heads: Attention heads of its blocks.
    """

    BLOCKS = 4
    ROUNDS = 4

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.init_token = nn.Parameter(torch.empty(1, 1, CAMERA_VALUES))
        self.refine_net = nn.Sequential(*(Block(dim, heads, qk_norm=False) for _ in range(self.BLOCKS)))
        self.token_norm = nn.LayerNorm(dim)
        self.out_norm = nn.LayerNorm(dim)
        self.param_embed = nn.Linear(CAMERA_VALUES, dim)
        self.adapt_norm_gen = nn.Sequential(nn.SiLU(), nn.Linear(dim, 3 * dim))
        self.param_predictor = Mlp(dim, dim // 2, CAMERA_VALUES)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.init_token)

    def forward(self, tokens: Float[Tensor, "b s k"]) -> list[Float[Tensor, "b s 9"]]:
        """Camera parameters (see :class:`NetworkPredictions`) after every round, of which training judges each."""
        tokens = self.token_norm(tokens)
        plain = F.layer_norm(tokens, tokens.shape[-1:], eps=1e-6)
        params = self.init_token.expand(*tokens.shape[:2], -1)
        results = []
        for number in range(self.ROUNDS):
            shift, scale, gate = self.adapt_norm_gen(self.param_embed(params)).chunk(3, dim=-1)
            refined = self.refine_net(tokens + gate * (plain * (1 + scale) + shift))
            change = self.param_predictor(self.out_norm(refined))
            # The first token only conditions; every round learns its own step, so that none sees an earlier one's.
            params = change if number == 0 else params.detach() + change
            results.append(torch.cat([params[..., :7], _not_negative(params[..., 7:])], dim=-1))
        return results


def _not_negative(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """max(x, 0), with a slope of 1 everywhere: a field of view that training once pushed below 0 finds its way back."""
    return torch.where(x < 0, x - x.detach(), x) if x.requires_grad else x.relu()


def camera_matrices(
    params: Float[Tensor, "b s 9"], height: int, width: int
) -> tuple[
    Float[Tensor, "b s 4 4"],  # camera-to-world
    Float[Tensor, "b s 3 3"],  # intrinsics in pixels
]:
    """Matrices of camera parameters for images of `height` x `width` pixels, principal point at the centre."""
    x, y, z, w = params[..., 3:7].unbind(-1)
    # The rotation is that of the normalised quaternion; dividing by the squared norm saves the square root.
    two = 2 / params[..., 3:7].square().sum(-1)
    rotation = torch.stack(
        [
            *(1 - two * (y * y + z * z), two * (x * y - z * w), two * (x * z + y * w)),
            *(two * (x * y + z * w), 1 - two * (x * x + z * z), two * (y * z - x * w)),
            *(two * (x * z - y * w), two * (y * z + x * w), 1 - two * (x * x + y * y)),
        ],
        dim=-1,
    ).unflatten(-1, (3, 3))
    c2w = se3.se3_inverse(se3.assemble(rotation, params[..., :3]))
    tangent = (params[..., 7:] / 2).tan()
    K = params.new_zeros(*params.shape[:-1], 3, 3)
    K[..., 0, 0] = width / 2 / tangent[..., 1]
    K[..., 1, 1] = height / 2 / tangent[..., 0]
    K[..., 0, 2] = width / 2
    K[..., 1, 2] = height / 2
    K[..., 2, 2] = 1
    return c2w, K
