"""Sizes of the network, as a checkpoint carries them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from neoverse_ns.errors import SettingsError

PatchEmbedName = Literal["dinov2_vitl14_reg", "dinov2_vits14_reg", "conv"]


@dataclass(frozen=True)
class VisionTransformerSize:
    """Width, blocks and heads of a DINOv2 backbone (Oquab et al. 2023, table 17)."""

    embed_dim: int
    depth: int
    heads: int


VISION_TRANSFORMERS: dict[str, VisionTransformerSize] = {
    "dinov2_vitl14_reg": VisionTransformerSize(embed_dim=1024, depth=24, heads=16),
    "dinov2_vits14_reg": VisionTransformerSize(embed_dim=384, depth=12, heads=6),
}
"""Backbones that can make patch tokens; all have four registers and 14-pixel patches."""


@dataclass(frozen=True)
class NetworkArchitecture:
    """What decides the names and shapes of the weights, and what they learned; the defaults are the release's."""

    patch_embed: PatchEmbedName = "dinov2_vitl14_reg"
    """What makes patch tokens: a DINOv2 backbone, or one strided convolution."""
    embed_dim: int = 1024
    """Width C of the trunk's tokens; a backbone's own width."""
    depth: int = 24
    """Pairs of a frame block and a global block."""
    heads: int = 16
    """Attention heads of the trunk, the motion branch and the camera head."""
    taps: tuple[int, int, int, int] = (4, 11, 17, 23)
    """Trunk layers, counted from 0, whose tokens the heads read."""
    gs_dim: int = 256
    """Width of the Gaussian head."""
    features: int = 256
    """Width of the other dense heads."""
    out_channels: tuple[int, int, int, int] = (256, 512, 1024, 1024)
    """Channels of the dense heads' four levels, fine to coarse."""
    patch_size: int = 14
    """Side of a patch in pixels."""
    image_size: int = 518
    """Side of the square image that the backbone's position table is made for, in pixels."""
    pixel_centres: bool = False
    """Gaussians lie on rays through pixel centres; the released weights', on rays through integer coordinates. No shape
    tells which a network learned."""
    positions: bool = False
    """Add a code of its place in the picture to each token of a strided convolution; a backbone has its own."""

    def validate(self) -> None:
        """Raise SettingsError where the sizes contradict each other."""
        backbone = VISION_TRANSFORMERS.get(self.patch_embed)
        if backbone is None and self.patch_embed != "conv":
            raise SettingsError(
                f"patch_embed is '{self.patch_embed}': choose one of conv, {', '.join(VISION_TRANSFORMERS)}"
            )
        sizes = (self.embed_dim, self.depth, self.heads, self.gs_dim, self.features, self.patch_size, self.image_size)
        if not all(isinstance(size, int) and size > 0 for size in (*sizes, *self.out_channels)):
            raise SettingsError("every size of the network must be a positive whole number")
        if backbone is not None and backbone.embed_dim != self.embed_dim:
            raise SettingsError(
                f"{self.patch_embed} makes tokens of width {backbone.embed_dim}, embed_dim is {self.embed_dim}"
            )
        if self.embed_dim % (4 * self.heads):
            # Two axes, and a pair of channels for each rotation.
            raise SettingsError(f"embed_dim {self.embed_dim} must be a multiple of 4 x {self.heads} heads")
        if len(self.taps) != 4 or len(self.out_channels) != 4:
            raise SettingsError("the dense heads read exactly four taps, with out_channels for each")
        if list(self.taps) != sorted(set(self.taps)) or not 0 <= self.taps[0] <= self.taps[-1] < self.depth:
            raise SettingsError(f"taps {self.taps} must ascend within the trunk's {self.depth} layers")
        if self.gs_dim % 8 or self.features % 8:
            raise SettingsError("gs_dim and features must be multiples of 8")
        if any(channels % 4 for channels in self.out_channels):
            raise SettingsError("out_channels must be multiples of 4")
        for name in ("pixel_centres", "positions"):
            if not isinstance(getattr(self, name), bool):
                raise SettingsError(f"{name} must be true or false, got {getattr(self, name)!r}")
        if self.positions and backbone is not None:
            raise SettingsError(f"{self.patch_embed} has positions of its own: positions is for patch_embed conv")
        if self.image_size % self.patch_size:
            raise SettingsError(f"image_size {self.image_size} must be a multiple of patch_size {self.patch_size}")

    def to_json(self) -> str:
        """A JSON object of every field."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> NetworkArchitecture:
        """The inverse of :meth:`to_json`; absent fields take their defaults.

        Raises:
            SettingsError: The text is no JSON object, or a field is unknown or contradicts another.
        """
        try:
            values: Any = json.loads(text)
        except ValueError as error:
            raise SettingsError(f"the network's architecture is not valid JSON ({error})") from error
        names = {field.name: field for field in fields(cls)}
        if not isinstance(values, dict) or not set(values) <= set(names):
            raise SettingsError(f"the network's architecture must be a JSON object with fields {', '.join(names)}")
        try:
            # JSON knows lists only.
            arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
            architecture = cls(**arguments)
            architecture.validate()
        except TypeError as error:
            raise SettingsError(f"a field of the network's architecture has the wrong type ({error})") from error
        return architecture
