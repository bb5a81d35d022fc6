"""Pre-norm transformer blocks with layer scale (Touvron et al. 2021)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.networks.neoverse.attention import CrossAttention, SelfAttention
from neoverse_ns.networks.neoverse.rotary import RotaryTable

MLP_RATIO = 4
"""Hidden width of a block's MLP, in widths of its tokens."""


class Mlp(nn.Module):
    """Linear, exact GELU, linear."""

    def __init__(self, dim: int, hidden: int, out: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, out)

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n k"]:
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """A learned factor per channel on a residual branch."""

    def __init__(self, dim: int, init: float) -> None:
        super().__init__()
        self.init = init
        self.gamma = nn.Parameter(torch.empty(dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.gamma, self.init)

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
        return x * self.gamma


class Block(nn.Module):
    """Self-attention, then an MLP, each on a residual branch.

    Args:
        dim: Width of the tokens.
        heads: Attention heads.
        qk_norm: See :class:`SelfAttention`.
        eps: Of the two LayerNorms.
        scale_init: Layer scale of an untrained block.
    """

    def __init__(self, dim: int, heads: int, qk_norm: bool, eps: float = 1e-5, scale_init: float = 0.01) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = SelfAttention(dim, heads, qk_norm)
        self.ls1 = LayerScale(dim, scale_init)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = Mlp(dim, MLP_RATIO * dim, dim)
        self.ls2 = LayerScale(dim, scale_init)

    def forward(self, x: Float[Tensor, "b n c"], rotary: RotaryTable | None = None) -> Float[Tensor, "b n c"]:
        x = x + self.ls1(self.attn(self.norm1(x), rotary))
        return x + self.ls2(self.mlp(self.norm2(x)))


class CrossBlock(nn.Module):
    """Attention of one set of tokens to another, then an MLP, each on a residual branch of the first set."""

    def __init__(self, dim: int, heads: int, scale_init: float = 0.01) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.norm_y = nn.LayerNorm(dim)
        self.cross_attn = CrossAttention(dim, heads)
        self.ls1 = LayerScale(dim, scale_init)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, MLP_RATIO * dim, dim)
        self.ls2 = LayerScale(dim, scale_init)

    def forward(
        self,
        x: Float[Tensor, "b n c"],
        y: Float[Tensor, "b m c"],
        rotary_x: RotaryTable,
        rotary_y: RotaryTable,
    ) -> Float[Tensor, "b n c"]:
        x = x + self.ls1(self.cross_attn(self.norm1(x), self.norm_y(y), rotary_x, rotary_y))
        return x + self.ls2(self.mlp(self.norm2(x)))
