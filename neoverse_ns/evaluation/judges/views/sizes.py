"""From pictures as they are on disk to judged ones: sizes by the words of protocols, each picture resized once."""

from __future__ import annotations

import re

import cv2
import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.clip.resize import fit
from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.priors.framing import Framing


def framing_for(size: str, width: int, height: int, longest: int | None = None) -> Framing:
    """How pictures of `width` x `height` become judged ones, by a protocol's word for it.

    `560x336` fits into that box, which lies as the picture lies, and enlarges nothing; `224c` and `320x240c` cover that
    box, which does not turn, and are cut to its middle; `1x`, `2x` and so on are as they are read.

    Args:
        size: Of a protocol.
        width: Of the pictures, in pixels.
        height: The same.
        longest: Most that the longer side may have after all that, for a method that works on smaller pictures.

    Raises:
        SettingsError: There is no such word.
    """
    wide, high = _wanted(size, width, height)
    if longest is not None and max(wide, high) > longest:
        shrink = longest / max(wide, high)
        wide, high = max(round(wide * shrink), 1), max(round(high * shrink), 1)
    scale = max(wide / width, high / height)
    cover = max(round(width * scale), wide), max(round(height * scale), high)
    return Framing((width, height), cover, (wide, high))


def falls_short(size: str, width: int, height: int) -> bool:
    """Whether pictures are smaller than the box that a protocol's word names, and so are judged smaller than that."""
    found = re.fullmatch(r"([1-9][0-9]*)x([1-9][0-9]*)", size)
    if found is None:
        return False
    long, short = max(int(found[1]), int(found[2])), min(int(found[1]), int(found[2]))
    return max(width, height) < long and min(width, height) < short


def framed_picture(framing: Framing, picture: UInt8[Tensor, "h w 3"]) -> UInt8[Tensor, "th tw 3"]:
    """A picture brought to size by averaging, once, from what was read."""
    if framing.source == framing.size:
        return picture
    return torch.from_numpy(fit(picture.numpy(), framing.source, framing.size))


def framed_mask(framing: Framing, mask: Bool[Tensor, "h w"]) -> Bool[Tensor, "th tw"]:
    """A mask brought to size by its nearest values; one of other resolution than its picture shows the same."""
    values = mask.numpy().astype(np.uint8)
    if (values.shape[1], values.shape[0]) != framing.cover:
        values = cv2.resize(values, framing.cover, interpolation=cv2.INTER_NEAREST_EXACT)
    (left, top), (width, height) = framing.corner, framing.size
    return torch.from_numpy(np.ascontiguousarray(values[top : top + height, left : left + width])) > 0


def _wanted(size: str, width: int, height: int) -> tuple[int, int]:
    if re.fullmatch(r"[0-9]+x", size):
        return width, height
    if found := re.fullmatch(r"([1-9][0-9]*)c", size):
        return int(found[1]), int(found[1])
    found = re.fullmatch(r"([1-9][0-9]*)x([1-9][0-9]*)(c?)", size)
    if found is None:
        raise SettingsError(f"'{size}' is no size of judged pictures: use 560x336, 224c, 320x240c, or 1x for as read")
    box = int(found[1]), int(found[2])
    if found[3]:
        return box
    if (width < height) != (box[0] < box[1]) and width != height:
        box = box[1], box[0]
    scale = min(box[0] / width, box[1] / height, 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)
