"""Reads the images of one clip alike: the same depth of numbers for all of them, and the masks that lie beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from neoverse_ns.clip.deep import Depth, DepthSearch, RawPicture, deep_values, is_deep
from neoverse_ns.clip.image_file import opened_image, read_image, turned_as
from neoverse_ns.clip.profiles import profile_note

# Below this many levels a mask's numbers are labels, all but 0 of which count as white; JPEG's noise is none.
_LABELS = 32


@dataclass
class ImageReader:
    """What holds for all images of a clip.

    Attributes:
        masks: Mask of each image that has one.
        white: Whether a mask's white is to be ignored, or to be kept.
        depth: What deep images count up to; found by :meth:`prepare`.
    """

    masks: Mapping[Path, Path] = field(default_factory=dict)
    white: Literal["ignore", "keep"] = "ignore"
    depth: Depth | None = None

    def prepare(self, images: Sequence[Path]) -> list[str]:
        """Look at all headers, and at the numbers of deep images as far as needed; gives a sentence on each matter.

        Raises:
            ClipError: An image is broken, or holds numbers that do not tell what white is.
        """
        notes: dict[str, None] = {}
        search, several, deep, floating, certain = DepthSearch(), 0, 0, 0, False
        for path in images:
            with opened_image(path) as image:
                if isinstance(image, Image.Image):
                    several += _holds_several(image)
                    if (note := profile_note(image)) is not None:
                        notes[note] = None
                if is_deep(image):
                    deep += 1
                    if not certain:
                        values = deep_values(image, path)
                        floating += values.dtype.kind == "f"
                        certain = search.see(values)
        if deep:
            self.depth, note = search.depth(floating > 0, images[0].parent if len(images) > 1 else images[0])
            if note is not None:
                notes[note] = None
        if several:
            which = "the image holds" if len(images) == 1 else f"{several} of the images hold"
            notes[f"{which} several pictures: the first is used"] = None
        return list(notes)

    def read(self, path: Path, least: tuple[int, int]) -> UInt8[np.ndarray, "h w c"]:
        """Pixels of one image; see :func:`read_image`."""
        return read_image(path, least, self.depth)

    def ignored(self, path: Path) -> Bool[np.ndarray, "h w"] | None:
        """What the image's mask says is no part of the world, in the mask's own size; None without a mask."""
        mask = self.masks.get(path)
        if mask is None:
            return None
        white = turned_as(_white(mask), path)
        return white if self.white == "ignore" else ~white


def _holds_several(image: Image.Image) -> bool:
    # Phones keep a depth map or a brighter rendering behind the picture in MPO and HEIF files.
    return image.format not in ("MPO", "HEIF") and bool(getattr(image, "is_animated", False))


def _white(path: Path) -> Bool[np.ndarray, "h w"]:
    """Where a mask is white; of masks with few levels, or of colours, where it is not black."""
    with opened_image(path) as image:
        if isinstance(image, RawPicture):
            return image.values[..., :3].max(axis=-1) > 0.5
        coloured, lossy = image.mode == "P", image.format == "JPEG"
        deep = image.mode.startswith("I") or image.mode == "F"
        values = np.asarray(image if deep else image.convert("RGB"))
    values = values.max(axis=-1) if values.ndim == 3 else values
    most = float(values.max(initial=0))
    few = coloured or (most < _LABELS and not lossy)
    return values > (0 if few else most / 2 if deep else 127)
