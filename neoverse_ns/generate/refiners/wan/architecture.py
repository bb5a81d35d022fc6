"""Sizes of the transformer and its control branch, read from a config file or from the shapes of a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from neoverse_ns.errors import WeightsError

if TYPE_CHECKING:
    from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer

EMBEDDED_CHANNELS = 64
"""Channels that mask and cameras become, beside two latents."""
HEAD_DIM = 128
"""Channels of a head in every published Wan 2.1 model; shapes alone do not tell it."""


@dataclass(frozen=True)
class WanArchitecture:
    """Sizes of Wan 2.1 with a control branch; the defaults are the released model's (14.3 + 3.05 billion parameters).

    Attributes:
        dim: Width of a token.
        heads: Attention heads; `dim` is a multiple.
        layers: Main blocks.
        ffn_dim: Width inside a block's feed-forward part.
        text_dim: Width of the text encoder's embeddings.
        freq_dim: Sines and cosines that a timestep becomes.
        latent_channels: Channels of the video autoencoder's latents.
        control_layers: Main blocks after which a hint is added; the first is 0.
        control_channels: Channels the control branch reads: two latents, the rest embedded mask and cameras.
    """

    dim: int = 5120
    heads: int = 40
    layers: int = 40
    ffn_dim: int = 13824
    text_dim: int = 4096
    freq_dim: int = 256
    latent_channels: int = 16
    control_layers: tuple[int, ...] = (0, 5, 10, 15, 20, 25, 30, 35)
    control_channels: int = 96

    def build(self) -> ControlledWanTransformer:
        """The module, freshly initialised on torch's current default device (use `with torch.device("meta")`)."""
        from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer

        return ControlledWanTransformer(
            num_attention_heads=self.heads,
            attention_head_dim=self.dim // self.heads,
            in_channels=self.latent_channels,
            out_channels=self.latent_channels,
            text_dim=self.text_dim,
            freq_dim=self.freq_dim,
            ffn_dim=self.ffn_dim,
            num_layers=self.layers,
            vace_layers=self.control_layers,
            vace_in_channels=self.control_channels,
        )

    @classmethod
    def from_release(
        cls, shapes: Mapping[str, Sequence[int]], heads: int | None = None, control_layers: Sequence[int] | None = None
    ) -> WanArchitecture:
        """Read the sizes off a checkpoint in the release's layout.

        Args:
            shapes: Shape of every tensor of the checkpoint.
            heads: Attention heads, where a config file tells them; else one for every 128 channels.
            control_layers: Main blocks with a hint, where a config file tells them; else spread evenly from the first.

        Raises:
            WeightsError: The checkpoint is not Wan 2.1 with a control branch.
        """
        plain = cls.from_plain_release(shapes, 1, heads)
        if "control_patch_embedding.weight" not in shapes:
            raise WeightsError(
                "the checkpoint is a Wan 2.1 transformer without a control branch: give the folder of the NeoVerse "
                "release, whose shards hold both"
            )
        controlled = _count_blocks(shapes, "control_blocks")
        if control_layers is None:
            control_layers = range(0, plain.layers, -(-plain.layers // max(controlled, 1)))
        if len(control_layers) != controlled:
            raise WeightsError(
                f"the checkpoint has {controlled} control blocks for {plain.layers} main blocks, which cannot be "
                "spread evenly: write the indices as control_layers into config.json"
            )
        return replace(
            plain,
            control_layers=tuple(control_layers),
            control_channels=shapes["control_patch_embedding.weight"][1],
        )

    @classmethod
    def from_plain_release(
        cls, shapes: Mapping[str, Sequence[int]], every: int, heads: int | None = None
    ) -> WanArchitecture:
        """Sizes of a Wan checkpoint in the release's names, with a control block for `every` so many main blocks.

        Raises:
            WeightsError: The checkpoint is not Wan 2.1.
        """
        try:
            dim, latent_channels = shapes["patch_embedding.weight"][:2]
            layers = _count_blocks(shapes, "blocks")
            return cls(
                dim=dim,
                heads=heads or max(1, dim // HEAD_DIM),
                layers=layers,
                ffn_dim=shapes["blocks.0.ffn.0.weight"][0],
                text_dim=shapes["text_embedding.0.weight"][1],
                freq_dim=shapes["time_embedding.0.weight"][1],
                latent_channels=latent_channels,
                control_layers=tuple(range(0, layers, every)),
                control_channels=2 * latent_channels + EMBEDDED_CHANNELS,
            )
        except KeyError as missing:
            raise WeightsError(f"the checkpoint has no tensor {missing}: it is not a Wan 2.1 transformer") from missing

    @classmethod
    def from_config(cls, config: Mapping[str, Any], every: int | None = None) -> WanArchitecture:
        """Read the sizes from a `config.json` of diffusers' layout.

        Args:
            config: Its content.
            every: Where given, a new control block for so many main blocks, whatever the config says of its own.

        Raises:
            WeightsError: A size is missing, or the config is of a model without a control branch.
        """
        if every is not None and "num_layers" in config and "in_channels" in config:
            channels = 2 * config["in_channels"] + EMBEDDED_CHANNELS
            layers = list(range(0, config["num_layers"], every))
            config = {**config, "vace_layers": layers, "vace_in_channels": channels}
        try:
            return cls(
                dim=config["num_attention_heads"] * config["attention_head_dim"],
                heads=config["num_attention_heads"],
                layers=config["num_layers"],
                ffn_dim=config["ffn_dim"],
                text_dim=config["text_dim"],
                freq_dim=config["freq_dim"],
                latent_channels=config["in_channels"],
                control_layers=tuple(config["vace_layers"]),
                control_channels=config["vace_in_channels"],
            )
        except KeyError as missing:
            raise WeightsError(
                f"the transformer's config.json has no {missing}: it is not Wan 2.1 with a control branch"
            ) from missing


def _count_blocks(shapes: Mapping[str, Sequence[int]], group: str) -> int:
    numbers = {int(match[1]) for key in shapes if (match := re.match(rf"{group}\.(\d+)\.", key))}
    if numbers != set(range(len(numbers))):
        raise WeightsError(f"the checkpoint lacks some of its {group}: download all of its files again")
    return len(numbers)
