"""Multi-head attention of tokens to themselves or to another set."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.networks.neoverse.rotary import RotaryTable


class SelfAttention(nn.Module):
    """Attention among the tokens of one set.

    Args:
        dim: Width of the tokens.
        heads: Number of heads, a divisor of `dim`.
        qk_norm: Normalise each head's queries and keys with a LayerNorm (Dehghani et al. 2023).
    """

    def __init__(self, dim: int, heads: int, qk_norm: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.q_norm = nn.LayerNorm(dim // heads) if qk_norm else nn.Identity()
        self.k_norm = nn.LayerNorm(dim // heads) if qk_norm else nn.Identity()
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "b n c"], rotary: RotaryTable | None = None) -> Float[Tensor, "b n c"]:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k = self.q_norm(q), self.k_norm(k)
        if rotary is not None:
            q, k = rotary.rotate(q), rotary.rotate(k)
        return self.proj(_attend(q, k, v))


class CrossAttention(nn.Module):
    """Attention of the tokens `x` to the tokens `y`, with q/k norms and rotary positions on both sides."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.projq = nn.Linear(dim, dim)
        self.projk = nn.Linear(dim, dim)
        self.projv = nn.Linear(dim, dim)
        self.q_norm = nn.LayerNorm(dim // heads)
        self.k_norm = nn.LayerNorm(dim // heads)
        self.proj = nn.Linear(dim, dim)

    def forward(
        self,
        x: Float[Tensor, "b n c"],
        y: Float[Tensor, "b m c"],
        rotary_x: RotaryTable,
        rotary_y: RotaryTable,
    ) -> Float[Tensor, "b n c"]:
        q = rotary_x.rotate(self.q_norm(self._split(self.projq(x))))
        k = rotary_y.rotate(self.k_norm(self._split(self.projk(y))))
        return self.proj(_attend(q, k, self._split(self.projv(y))))

    def _split(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b heads n d"]:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _attend(
    q: Float[Tensor, "b heads n d"], k: Float[Tensor, "b heads m d"], v: Float[Tensor, "b heads m d"]
) -> Float[Tensor, "b n c"]:
    # Norms and rotations leave q and k in float32 under autocast; the fused kernels want one precision.
    return F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v).transpose(1, 2).flatten(-2)
