"""Wan 2.1's transformer with NeoVerse's control branch (paper, section 3.3), on diffusers' VACE model.

Importing this module imports diffusers: import it inside the function that needs it.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.configuration_utils import register_to_config
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from diffusers.models.transformers.transformer_wan_vace import WanVACETransformer3DModel
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.generate.refiners.wan.control import ControlInput

MASK_CAMERA_CHANNELS = 7
"""The mask and the six channels of the Plücker map."""
TIME_STRIDE, SIDE_STRIDE = 4, 8
"""The video autoencoder's compression, which the mask and camera embedding shares."""
CHANNELS_PER_GROUP = 8


class ControlledWanTransformer(WanVACETransformer3DModel):
    """Predicts the velocity of rectified flow from noisy latents, a text and what was rendered at the target cameras.

    Everything but `mask_camera_embedding` is diffusers' model of the same layers; only its input is prepared in another
    way. Saved and loaded like any diffusers model (`save_pretrained`); :mod:`.key_map` knows the release's names.
    """

    @register_to_config
    def __init__(
        self,
        patch_size: tuple[int, ...] | list[int] = (1, 2, 2),
        num_attention_heads: int = 40,
        attention_head_dim: int = 128,
        in_channels: int = 16,
        out_channels: int = 16,
        text_dim: int = 4096,
        freq_dim: int = 256,
        ffn_dim: int = 13824,
        num_layers: int = 40,
        cross_attn_norm: bool = True,
        qk_norm: str | None = "rms_norm_across_heads",
        eps: float = 1e-6,
        rope_max_seq_len: int = 1024,
        vace_layers: tuple[int, ...] | list[int] = (0, 5, 10, 15, 20, 25, 30, 35),
        vace_in_channels: int = 96,
    ) -> None:
        super().__init__(
            patch_size=tuple(patch_size),
            num_attention_heads=num_attention_heads,
            attention_head_dim=attention_head_dim,
            in_channels=in_channels,
            out_channels=out_channels,
            text_dim=text_dim,
            freq_dim=freq_dim,
            ffn_dim=ffn_dim,
            num_layers=num_layers,
            cross_attn_norm=cross_attn_norm,
            qk_norm=qk_norm,
            eps=eps,
            rope_max_seq_len=rope_max_seq_len,
            vace_layers=list(vace_layers),
            vace_in_channels=vace_in_channels,
        )
        # What the two latents leave of the control channels.
        embedded = vace_in_channels - 2 * in_channels
        stride = (TIME_STRIDE, SIDE_STRIDE, SIDE_STRIDE)
        self.mask_camera_embedding = nn.Sequential(
            nn.Conv3d(MASK_CAMERA_CHANNELS, embedded, kernel_size=stride, stride=stride),
            nn.GroupNorm(embedded // CHANNELS_PER_GROUP, embedded),
            nn.SiLU(),
        )

    def reset_control_output(self) -> None:
        """Zero the hints' projections, so that the branch leaves Wan's prediction unchanged until it is trained.

        Locked by `test_zeroed_control_leaves_wan_unchanged`.
        """
        for block in self.vace_blocks:
            projection = block.get_submodule("proj_out")
            for parameter in projection.parameters():
                nn.init.zeros_(parameter)

    def control_modules(self) -> dict[str, nn.Module]:
        """The modules of the control branch, by their names: the part that NeoVerse trains."""
        names = ("mask_camera_embedding", "vace_patch_embedding", "vace_blocks")
        return {name: self.get_submodule(name) for name in names}

    def embed_control(self, control: ControlInput) -> Float[Tensor, "b c t y x"]:
        """Channels that the control branch reads: RGB latent, depth latent, embedded mask and cameras."""
        pixels = torch.cat([control.mask, control.plucker], dim=1)
        # Three empty frames in front make the first frame a group of four, as it is to the autoencoder.
        pixels = nn.functional.pad(pixels, (0, 0, 0, 0, TIME_STRIDE - 1, 0))
        embedded = self.mask_camera_embedding(pixels.to(control.rgb.device, self.dtype))
        return torch.cat([control.rgb.to(embedded), control.depth.to(embedded), embedded], dim=1)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        hidden_states: Float[Tensor, "b c t y x"],
        timestep: Float[Tensor, "b"],
        encoder_hidden_states: Float[Tensor, "b l d"],
        control: ControlInput | None = None,
        control_scale: float = 1.0,
    ) -> Float[Tensor, "b c t y x"]:
        """Velocity (noise - sample) at `timestep`.

        Args:
            hidden_states: Noisy latents, normalised; their sides are even.
            timestep: 1000 times sigma, one per clip.
            encoder_hidden_states: Text embeddings, zero past the prompt's end.
            control: What was rendered at the target cameras; None runs Wan alone.
            control_scale: Factor of the hints.
        """
        if control is None:
            # Without hints the layers are exactly those of the text-to-video model, whose forward pass fits them.
            forward: Any = WanTransformer3DModel.forward
            return forward(self, hidden_states, timestep, encoder_hidden_states, return_dict=False)[0]
        hints = self.embed_control(control)
        scales = hints.new_full((len(self.config.vace_layers),), control_scale)  # pyright: ignore
        return super().forward(
            hidden_states,
            timestep,  # pyright: ignore[reportArgumentType]
            encoder_hidden_states,
            control_hidden_states=hints,
            control_hidden_states_scale=scales,
            return_dict=False,
        )[0]
