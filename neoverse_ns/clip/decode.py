"""The second pass over a source: the chosen frames cut and sized, and what in them is no part of the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, UInt8

from neoverse_ns.clip.alpha import transparency_note, transparent
from neoverse_ns.clip.borders import Box
from neoverse_ns.clip.cropping import BorderSearch, cut, needed
from neoverse_ns.clip.resize import fit
from neoverse_ns.clip.source import FrameSource, SeenFrame
from neoverse_ns.clip.tracking_frames import TrackingFrames
from neoverse_ns.console import progress


@dataclass(frozen=True)
class Decoded:
    """What came out of a pass.

    Attributes:
        pixels: The chosen frames, RGB.
        ignored: What of them is transparent or masked; None where nothing is.
        tracking: The frames between them; None where none were asked for.
    """

    pixels: UInt8[np.ndarray, "n h w 3"]
    ignored: Bool[np.ndarray, "n h w"] | None
    tracking: TrackingFrames | None


def decode(
    source: FrameSource,
    chosen: Sequence[SeenFrame],
    between: Sequence[SeenFrame],
    size: tuple[int, int],
    crop: Box | None,
    search: BorderSearch | None,
    notes: list[str],
) -> Decoded:
    """Pixels of the chosen frames, what in them is transparent or masked, and the frames between them in grey.

    All come from one pass: decoding costs far more than the few frames that are kept of it.

    Args:
        source: Where they come from.
        chosen: What the first look gave of them, in order.
        between: What it gave of others that lie between them, in order.
        size: Width and height to bring them to.
        crop: Part of the picture that is used, in the source's pixels; None for all of it.
        search: Sees the frames uncropped, where bars are looked for.
        notes: What has to be said is added.
    """
    whole = chosen[0].size
    part = whole if crop is None else (crop[2], crop[3])
    pixels = np.empty((len(chosen), size[1], size[0], 3), dtype=np.uint8)
    clear, masked = np.zeros(pixels.shape[:3], dtype=bool), np.zeros(pixels.shape[:3], dtype=bool)
    grey = np.empty((len(between), size[1], size[0]), dtype=np.uint8)
    places, others = ({frame.index: place for place, frame in enumerate(some)} for some in (chosen, between))
    wanted = sorted([*chosen, *between], key=lambda frame: frame.index)
    beside = f" and {len(between)} between them" if between else ""
    with progress(f"decoding {len(chosen)} frames{beside} of {source.path.name}", len(wanted)) as steps:
        images = source.read(wanted, needed(size, whole, crop), others)
        for seen, image in zip(wanted, images, strict=True):
            fitted = fit(cut(image, whole, crop), part, size)
            if seen.index in others:
                grey[others[seen.index]] = cv2.cvtColor(np.ascontiguousarray(fitted[..., :3]), cv2.COLOR_RGB2GRAY)
                steps.advance()
                continue
            place = places[seen.index]
            # The ground that transparent parts lie on is no bar, however plain.
            if search is not None and image.shape[-1] == 3:
                search.see(place, image)
            pixels[place] = fitted[..., :3]
            if (hidden := transparent(fitted)) is not None:
                clear[place] = hidden
            if (mask := source.ignored(seen)) is not None:
                white = np.where(cut(mask, whole, crop)[..., None], np.uint8(255), np.uint8(0))
                masked[place] = fit(white.repeat(3, axis=-1), part, size)[..., 0] > 127
            steps.advance()
    if clear.any():
        notes.append(transparency_note(float(clear.mean())))
    if masked.any():
        notes.append(f"{masked.mean():.0%} of the pixels are masked: they are no part of the scene")
    ignored = clear | masked
    return Decoded(pixels, ignored if ignored.any() else None, _tracking(between, grey))


def _tracking(between: Sequence[SeenFrame], grey: UInt8[np.ndarray, "m h w"]) -> TrackingFrames | None:
    if not between:
        return None
    return TrackingFrames(
        grey=torch.from_numpy(grey),
        seconds=torch.tensor([frame.seconds for frame in between], dtype=torch.float64),
        frame_indices=torch.tensor([frame.index for frame in between], dtype=torch.int64),
    )
