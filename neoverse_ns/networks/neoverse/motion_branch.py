"""Bidirectional motion branch (NeoVerse, section 3.1, equation 1)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.blocks import Block, CrossBlock
from neoverse_ns.networks.neoverse.recompute import run_part
from neoverse_ns.networks.neoverse.rotary import RotaryTable


class MotionBranch(nn.Module):
    """Compares every frame with the next one, once from either side.

    The trunk inherits from it, since checkpoints keep both under one prefix.
    """

    def __init__(self, architecture: NetworkArchitecture) -> None:
        super().__init__()
        dim, heads, taps = architecture.embed_dim, architecture.heads, range(len(architecture.taps))
        self.motion_tokens = nn.Parameter(torch.empty(1, 2, 1, dim))
        self.motion_embeds = nn.ModuleList(nn.Linear(2 * dim, dim) for _ in taps)
        self.motion_self_blocks = nn.ModuleList(Block(dim, heads, qk_norm=True) for _ in taps)
        self.motion_fwd_blocks = nn.ModuleList(CrossBlock(dim, heads) for _ in taps)
        self.motion_bwd_blocks = nn.ModuleList(CrossBlock(dim, heads) for _ in taps)

    def encode_motion(
        self, taps: list[Float[Tensor, "b s p k"]], rotary: RotaryTable, recompute: bool = False
    ) -> tuple[
        list[Float[Tensor, "b m p c"]],  # of frames 0..s-2 toward the next one, m = s - 1
        list[Float[Tensor, "b m p c"]],  # of frames 1..s-1 toward the previous one
    ]:
        """Motion tokens of every tap, of the trunk's width C where the taps have 2C.

        Args:
            taps: The trunk's outputs, at least two frames.
            rotary: Positions of one frame's tokens.
            recompute: Compute the blocks again in the backward pass instead of keeping what is inside them.
        """
        forward, backward = [], []
        for number, tokens in enumerate(taps):
            embedded = self.motion_embeds[number](tokens)
            source = (embedded[:, :-1] + self.motion_tokens[:, :1]).flatten(0, 1)
            target = (embedded[:, 1:] + self.motion_tokens[:, 1:]).flatten(0, 1)
            joined = torch.cat([source, target], dim=1)
            both = run_part(self.motion_self_blocks[number], joined, rotary.repeat(2), recompute=recompute)
            source, target = both.chunk(2, dim=1)
            pairs = tokens.shape[0], tokens.shape[1] - 1
            ahead, behind = (
                run_part(blocks[number], *tokens, rotary, rotary, recompute=recompute)
                for blocks, tokens in (
                    (self.motion_fwd_blocks, (source, target)),
                    (self.motion_bwd_blocks, (target, source)),
                )
            )
            forward.append(ahead.unflatten(0, pairs))
            backward.append(behind.unflatten(0, pairs))
        return forward, backward
