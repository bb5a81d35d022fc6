"""From pixels to one token per patch.

DINOv2 is built from the trunk's own blocks. That of transformers computes the same, but has no place for the tensors as
they are published (`test_transformers_dinov2_has_no_place_for_the_published_tensors`).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.networks.neoverse.architecture import VISION_TRANSFORMERS, NetworkArchitecture, VisionTransformerSize
from neoverse_ns.networks.neoverse.blocks import MLP_RATIO, Block, Mlp
from neoverse_ns.networks.neoverse.recompute import run_part

_PLACE_STRENGTH = 0.5
"""Of the code of places beside untrained tokens, which are about as large."""


class PatchConvolution(nn.Module):
    """One strided convolution: a linear map of every patch.

    Args:
        embed_dim: Width of the tokens.
        patch_size: Side of a patch in pixels.
        positions: Add :func:`place_code`, which attention can carry from one token to another; the turns of rotary
            positions stay behind in the weights of attention.
    """

    def __init__(self, embed_dim: int, patch_size: int, positions: bool = False) -> None:
        super().__init__()
        self.positions = positions
        self.proj = nn.Conv2d(3, embed_dim, kernel_size=patch_size, stride=patch_size)

    def forward(self, images: Float[Tensor, "n 3 h w"], recompute: bool = False) -> Float[Tensor, "n p c"]:
        patches = self.proj(images)
        if self.positions:
            patches = patches + place_code(*patches.shape[1:]).to(patches)
        return patches.flatten(2).transpose(1, 2)


def place_code(channels: int, rows: int, columns: int) -> Float[Tensor, "{channels} {rows} {columns}"]:
    """Sines and cosines of the row, then of the column, from a quarter of a wave across the picture upward.

    Args:
        channels: A multiple of 4.
        rows: Of patches.
        columns: Of patches.
    """
    down = _quarter_waves(rows, channels // 2)[:, :, None].expand(-1, -1, columns)
    across = _quarter_waves(columns, channels // 2)[:, None, :].expand(-1, rows, -1)
    return _PLACE_STRENGTH * torch.cat([down, across])


def _quarter_waves(count: int, channels: int) -> Float[Tensor, "c n"]:
    places = torch.linspace(-1, 1, count) if count > 1 else torch.zeros(1)
    phase = math.pi / 2 * torch.arange(1, channels // 2 + 1)[:, None] * places
    return torch.cat([phase.sin(), phase.cos()])


class DepthPatches(nn.Module):
    """Tokens of a depth map: the pixels of each patch through an MLP."""

    def __init__(self, embed_dim: int, patch_size: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        # The release stores the MLP as the third of four steps, the others without weights.
        self.proj = nn.ModuleDict({"2": Mlp(patch_size**2, MLP_RATIO * embed_dim, embed_dim)})

    def forward(self, depth: Float[Tensor, "n h w"]) -> Float[Tensor, "n p c"]:
        return self.proj["2"](F.pixel_unshuffle(depth[:, None], self.patch_size).flatten(2).transpose(1, 2))


class DinoV2(nn.Module):
    """DINOv2 with registers (Oquab et al. 2023; Darcet et al. 2024).

    Args:
        size: Width, blocks and heads.
        patch_size: Side of a patch in pixels.
        image_size: Side in pixels of the image that the position table is made for.
    """

    REGISTERS = 4

    def __init__(self, size: VisionTransformerSize, patch_size: int, image_size: int) -> None:
        super().__init__()
        dim = size.embed_dim
        self.grid = image_size // patch_size
        self.patch_embed = PatchConvolution(dim, patch_size)
        self.cls_token = nn.Parameter(torch.empty(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + self.grid**2, dim))
        self.register_tokens = nn.Parameter(torch.empty(1, self.REGISTERS, dim))
        # Of masked pre-training alone; nothing reads it here, but checkpoints hold it.
        self.mask_token = nn.Parameter(torch.empty(1, dim), requires_grad=False)
        self.blocks = nn.ModuleList(
            Block(dim, size.heads, qk_norm=False, eps=1e-6, scale_init=1.0) for _ in range(size.depth)
        )
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.normal_(self.cls_token, std=1e-6)
        nn.init.normal_(self.register_tokens, std=1e-6)
        nn.init.zeros_(self.mask_token)

    def forward(self, images: Float[Tensor, "n 3 h w"], recompute: bool = False) -> Float[Tensor, "n p c"]:
        """Patch tokens after the final norm, row by row."""
        patches = self.patch_embed(images)
        side = self.patch_embed.proj.kernel_size[0]
        patches = patches + self.patch_positions(images.shape[-2] // side, images.shape[-1] // side)
        classes = (self.cls_token + self.pos_embed[:, :1]).expand(len(images), -1, -1)
        x = torch.cat([classes, self.register_tokens.expand(len(images), -1, -1), patches], dim=1)
        for block in self.blocks:
            x = run_part(block, x, recompute=recompute)
        return self.norm(x[:, 1 + self.REGISTERS :])

    def patch_positions(self, rows: int, columns: int) -> Float[Tensor, "1 p c"]:
        """The position table of the patches, resized to a grid of `rows` x `columns` where that is not its own."""
        table = self.pos_embed[:, 1:]
        if (rows, columns) == (self.grid, self.grid):
            return table
        square = table.unflatten(1, (self.grid, self.grid)).permute(0, 3, 1, 2)
        resized = F.interpolate(square, size=(rows, columns), mode="bicubic", antialias=True)
        return resized.permute(0, 2, 3, 1).flatten(1, 2)


def make_patch_embed(architecture: NetworkArchitecture) -> nn.Module:
    """The module that `architecture.patch_embed` names."""
    size = VISION_TRANSFORMERS.get(architecture.patch_embed)
    if size is None:
        return PatchConvolution(architecture.embed_dim, architecture.patch_size, architecture.positions)
    return DinoV2(size, architecture.patch_size, architecture.image_size)
