"""Transparency: pictures laid on plain ground, and their cover kept as a fourth channel."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8

#: Level of all channels of the ground that shows where a picture is transparent: middle grey.
GROUND = 128
#: Cover, of 255, below which a pixel is no part of the world.
_HALF = 128


def on_ground(image: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w c"]:
    """Lay straight (not premultiplied) RGBA on the ground and keep the cover; three channels where nothing shows it.

    Done before any resizing, so that what hides under transparent pixels never bleeds into its neighbours.
    """
    cover = image[..., 3:]
    if cover.min(initial=255) == 255:
        return np.ascontiguousarray(image[..., :3])
    weight = cover.astype(np.float32) / 255
    mixed = np.round(image[..., :3] * weight + GROUND * (1 - weight)).astype(np.uint8)
    return np.concatenate((mixed, cover), axis=-1)


def transparent(image: UInt8[np.ndarray, "h w c"]) -> Bool[np.ndarray, "h w"] | None:
    """Pixels that are less than half covered; None for a picture without transparency."""
    return image[..., 3] < _HALF if image.shape[-1] == 4 else None


def transparency_note(share: float) -> str:
    """One sentence for a clip of which `share` of all pixels is transparent."""
    return f"{share:.0%} of the pixels are transparent: they are laid on grey and are no part of the scene"
