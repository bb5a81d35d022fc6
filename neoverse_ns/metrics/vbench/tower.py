"""What the vision transformers of CLIP and DINO have in common."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from neoverse_ns.errors import PackageError

HEAD_WIDTH = 64
"""Channels of one attention head in all published towers of CLIP and DINO."""


@dataclass(frozen=True)
class TowerShape:
    """What tells a vision transformer from others.

    Attributes:
        width: Channels of a token.
        layers: Number of blocks.
        patch: Side of a patch, pixels.
        side: Side of the picture that its positions are for, pixels.
        embedding: Channels of what comes out.
    """

    width: int
    layers: int
    patch: int
    side: int
    embedding: int

    def __str__(self) -> str:
        return f"{self.layers} blocks of {self.width} channels on patches of {self.patch}, {self.embedding} out"

    def settings(self) -> dict[str, int]:
        """The same as transformers' configurations of vision transformers call it."""
        return {
            "hidden_size": self.width,
            "intermediate_size": 4 * self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.width // HEAD_WIDTH,
            "image_size": self.side,
            "patch_size": self.patch,
        }


def import_transformers(network: str) -> ModuleType:
    """The library that runs the towers.

    Args:
        network: Who needs it.

    Raises:
        PackageError: It is not installed.
    """
    try:
        return import_module("transformers")
    except ImportError as error:
        raise PackageError(
            f"{network} needs the transformers library: pip install 'neoverse-ns[depth]', which brings it"
        ) from error
