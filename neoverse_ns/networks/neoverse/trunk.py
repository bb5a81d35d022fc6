"""The trunk: alternating attention within frames and across all frames (VGGT, Wang et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.blocks import Block
from neoverse_ns.networks.neoverse.motion_branch import MotionBranch
from neoverse_ns.networks.neoverse.patches import DepthPatches, make_patch_embed
from neoverse_ns.networks.neoverse.prior_tokens import PriorTokens
from neoverse_ns.networks.neoverse.recompute import run_part
from neoverse_ns.networks.neoverse.rotary import RotaryTable, patch_positions

REGISTERS = 4
SPECIAL_TOKENS = 1 + REGISTERS + 2
"""Tokens in front of a frame's patches: camera, registers, pose, rays."""

_IMAGE_MEAN = (0.485, 0.456, 0.406)
_IMAGE_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class TrunkTokens:
    """What the heads read, for each tap; p counts the special tokens and the patches.

    Attributes:
        taps: The frame block's and the global block's outputs side by side.
        forward: Motion tokens of frames 0..s-2; empty without motion.
        backward: Motion tokens of frames 1..s-1; empty without motion.
    """

    taps: list[Float[Tensor, "b s p k"]]
    forward: list[Float[Tensor, "b m p c"]] = field(default_factory=list)
    backward: list[Float[Tensor, "b m p c"]] = field(default_factory=list)


class GeometryTransformer(MotionBranch):
    """Patch embedding, special tokens, alternating blocks and the motion branch."""

    def __init__(self, architecture: NetworkArchitecture) -> None:
        super().__init__(architecture)
        dim, heads = architecture.embed_dim, architecture.heads
        self.architecture = architecture
        self.cam_token = nn.Parameter(torch.empty(1, 2, 1, dim))
        self.reg_token = nn.Parameter(torch.empty(1, 2, REGISTERS, dim))
        self.patch_embed = make_patch_embed(architecture)
        self.pose_embed = nn.Sequential(nn.Linear(7, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.depth_embed = DepthPatches(dim, architecture.patch_size)
        self.ray_embed = nn.Sequential(nn.Linear(4, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.frame_blocks = nn.ModuleList(Block(dim, heads, qk_norm=True) for _ in range(architecture.depth))
        self.global_blocks = nn.ModuleList(Block(dim, heads, qk_norm=True) for _ in range(architecture.depth))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for token in (self.cam_token, self.reg_token, self.motion_tokens):
            nn.init.normal_(token, std=1e-6)

    def forward(
        self,
        images: Float[Tensor, "b s 3 h w"],
        priors: PriorTokens | None = None,
        motion: bool = True,
        mixed_precision: bool = False,
        recompute: bool = False,
    ) -> TrunkTokens:
        """Tokens of every tap.

        Args:
            images: In [0, 1]; sides are multiples of the patch size.
            priors: What is known beforehand.
            motion: Run the motion branch, which needs two frames or more.
            mixed_precision: Matrix products and attention in bfloat16, norms and the residual stream in float32.
            recompute: Compute every block again in the backward pass instead of keeping what is inside it.
        """
        rows, columns = (side // self.architecture.patch_size for side in images.shape[-2:])
        head_dim = self.architecture.embed_dim // self.architecture.heads
        rotary = RotaryTable.of(patch_positions(rows, columns, SPECIAL_TOKENS, images.device), head_dim, images.dtype)
        device = images.device.type
        with torch.autocast(device, dtype=torch.bfloat16, enabled=mixed_precision):
            # What adds to the residual stream directly stays in float32.
            patches = self._patch_tokens(images, recompute).to(images.dtype)
            with torch.autocast(device, enabled=False):
                tokens = self._with_special_tokens(patches, priors or PriorTokens())
            taps = self._alternate(tokens, rotary, recompute)
            if not motion or images.shape[1] < 2:
                return TrunkTokens(taps)
            return TrunkTokens(taps, *self.encode_motion(taps, rotary, recompute))

    def _patch_tokens(self, images: Float[Tensor, "b s 3 h w"], recompute: bool) -> Float[Tensor, "b s n c"]:
        mean, std = (images.new_tensor(values)[:, None, None] for values in (_IMAGE_MEAN, _IMAGE_STD))
        return self.patch_embed(((images - mean) / std).flatten(0, 1), recompute).unflatten(0, images.shape[:2])

    def _with_special_tokens(self, patches: Float[Tensor, "b s n c"], priors: PriorTokens) -> Float[Tensor, "b s p c"]:
        batch, frames, _, dim = patches.shape
        unknown = patches.new_zeros(batch, frames, 1, dim)
        pose = unknown if priors.pose is None else self.pose_embed(priors.pose)[:, :, None]
        rays = unknown if priors.rays is None else self.ray_embed(priors.rays)[:, :, None]
        if priors.depth is not None:
            patches = patches + self.depth_embed(priors.depth.flatten(0, 1)).unflatten(0, (batch, frames))
        special = [_per_frame(token, batch, frames) for token in (self.cam_token, self.reg_token)]
        return torch.cat([*special, pose, rays, patches], dim=2)

    def _alternate(
        self, tokens: Float[Tensor, "b s p c"], rotary: RotaryTable, recompute: bool
    ) -> list[Float[Tensor, "b s p k"]]:
        batch, frames, count, _ = tokens.shape
        rotary_all = rotary.repeat(frames)
        taps = []
        for layer, (frame_block, global_block) in enumerate(zip(self.frame_blocks, self.global_blocks, strict=True)):
            within = run_part(frame_block, tokens.flatten(0, 1), rotary, recompute=recompute)
            within = within.unflatten(0, (batch, frames))
            tokens = run_part(global_block, within.flatten(1, 2), rotary_all, recompute=recompute)
            tokens = tokens.unflatten(1, (frames, count))
            if layer in self.architecture.taps:
                taps.append(torch.cat([within, tokens], dim=-1))
        return taps


def _per_frame(token: Float[Tensor, "1 2 n c"], batch: int, frames: int) -> Float[Tensor, "b s n c"]:
    """The first of the two variants for the first frame, the second for all others."""
    variants = token[0, [0] + [1] * (frames - 1)]
    return variants[None].expand(batch, -1, -1, -1)
