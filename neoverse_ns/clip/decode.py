"""The second pass over a source: the chosen frames cut and sized, and what in them is no part of the world."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8

from neoverse_ns.clip.alpha import transparency_note, transparent
from neoverse_ns.clip.borders import Box
from neoverse_ns.clip.cropping import BorderSearch, cut, needed
from neoverse_ns.clip.resize import fit
from neoverse_ns.clip.source import FrameSource, SeenFrame
from neoverse_ns.console import progress


def decode(
    source: FrameSource,
    chosen: Sequence[SeenFrame],
    size: tuple[int, int],
    crop: Box | None,
    search: BorderSearch | None,
    notes: list[str],
) -> tuple[UInt8[np.ndarray, "n h w 3"], Bool[np.ndarray, "n h w"] | None]:
    """Pixels of the chosen frames, and those of them that are transparent or masked; None where none are.

    Args:
        source: Where they come from.
        chosen: What the first look gave of them.
        size: Width and height to bring them to.
        crop: Part of the picture that is used, in the source's pixels; None for all of it.
        search: Sees the frames uncropped, where bars are looked for.
        notes: What has to be said is added.
    """
    whole = chosen[0].size
    part = whole if crop is None else (crop[2], crop[3])
    pixels = np.empty((len(chosen), size[1], size[0], 3), dtype=np.uint8)
    clear, masked = np.zeros(pixels.shape[:3], dtype=bool), np.zeros(pixels.shape[:3], dtype=bool)
    with progress(f"decoding {len(chosen)} frames of {source.path.name}", len(chosen)) as steps:
        images = source.read(chosen, needed(size, whole, crop))
        for place, (seen, image) in enumerate(zip(chosen, images, strict=True)):
            # The ground that transparent parts lie on is no bar, however plain.
            if search is not None and image.shape[-1] == 3:
                search.see(place, image)
            fitted = fit(cut(image, whole, crop), part, size)
            pixels[place] = fitted[..., :3]
            if (hidden := transparent(fitted)) is not None:
                clear[place] = hidden
            if (mask := source.ignored(seen)) is not None:
                grey = np.where(cut(mask, whole, crop)[..., None], np.uint8(255), np.uint8(0))
                masked[place] = fit(grey.repeat(3, axis=-1), part, size)[..., 0] > 127
            steps.advance()
    if clear.any():
        notes.append(transparency_note(float(clear.mean())))
    if masked.any():
        notes.append(f"{masked.mean():.0%} of the pixels are masked: they are no part of the scene")
    ignored = clear | masked
    return pixels, ignored if ignored.any() else None
