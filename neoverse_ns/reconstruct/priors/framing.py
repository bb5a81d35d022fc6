"""From the source's pixels to the clip's: the same scaling and cutting that the frames went through."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.cropping import cut
from neoverse_ns.errors import SettingsError

_SAME_SHAPE = 0.02
"""Relative difference of aspect ratios up to which two images show the same."""


@dataclass(frozen=True)
class Framing:
    """How a clip's frames were made from the source's: cropped, scaled to `cover`, then cut to `size` in the middle.

    Attributes:
        source: Width and height of the source in square pixels.
        cover: Width and height after scaling.
        size: Width and height of the clip.
        crop: Column, row, width and height of the part of the source that is used; None is all of it.
    """

    source: tuple[int, int]
    cover: tuple[int, int]
    size: tuple[int, int]
    crop: tuple[int, int, int, int] | None = None

    @property
    def corner(self) -> tuple[int, int]:
        """Columns and rows that are cut off at the left and the top."""
        return (self.cover[0] - self.size[0]) // 2, (self.cover[1] - self.size[1]) // 2

    def check_shape(self, width: int, height: int, where: str) -> None:
        """Let images pass that show the whole source.

        Raises:
            SettingsError: The aspect ratio is another one.
        """
        ratio = (width / height) / (self.source[0] / self.source[1])
        if abs(ratio - 1) > _SAME_SHAPE:
            raise SettingsError(
                f"{where} is for images of {width}x{height} pixels, but the source has {self.source[0]}x"
                f"{self.source[1]}: they must show the same picture, at any resolution"
            )

    def intrinsics(self, K: Float[Tensor, "*n 3 3"], width: int, height: int) -> Float[Tensor, "*n 3 3"]:
        """Intrinsics in pixels of a `width` x `height` image of the whole source, in pixels of the clip."""
        x, y, w, h = self.crop or (0, 0, *self.source)
        scale = K.new_tensor(
            [self.cover[0] / (w * width / self.source[0]), self.cover[1] / (h * height / self.source[1]), 1.0]
        )
        left, top = self.cover[0] * x / w, self.cover[1] * y / h
        shift = K.new_tensor([left + self.corner[0], top + self.corner[1], 0.0])
        moved = K * scale[:, None]
        moved[..., 2] -= shift
        return moved

    def cut(self, image: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "ch cw"]:
        """An image of the whole source, brought to the clip's pixels without mixing values."""
        image = cut(image, self.source, self.crop)
        if (image.shape[1], image.shape[0]) != self.cover:
            image = cv2.resize(image, self.cover, interpolation=cv2.INTER_NEAREST_EXACT)
        left, top = self.corner
        return np.ascontiguousarray(image[top : top + self.size[1], left : left + self.size[0]])


def framing_of(clip: Clip) -> Framing:
    """The framing of a clip; where its source's size is not known the clip itself counts as the source."""
    size = clip.width, clip.height
    source = clip.source_size or size
    scale = clip.source_scale
    part = source if clip.crop is None else clip.crop[2:]
    cover = max(round(part[0] * scale), size[0]), max(round(part[1] * scale), size[1])
    return Framing(source, cover, size, clip.crop)


def to_tensor(images: list[Float32[np.ndarray, "h w"]]) -> Float32[Tensor, "n h w"]:
    """Images behind each other."""
    return torch.from_numpy(np.stack(images))
