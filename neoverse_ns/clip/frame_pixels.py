"""From a decoded video frame to upright SDR pixels, and what had to be done for that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from av.video.frame import VideoFrame
from jaxtyping import UInt8

from neoverse_ns.clip.alpha import on_ground
from neoverse_ns.clip.coding_tags import colour_note, meaning_of_tags
from neoverse_ns.clip.colour import Meaning, to_sdr
from neoverse_ns.clip.deinterlace import Neighbours, deinterlaced
from neoverse_ns.clip.streams import has_alpha
from neoverse_ns.clip.upright import frame_orientation, turned_upright

# ICtCp and its relative of Dolby Vision: FFmpeg's scaler knows neither.
_UNKNOWN_MATRICES = (14, 15)
# How many times as wide and high as needed a reduced frame is at least.
_SPARE, _SPARE_ROUGH = 2.0, 1.5


def meaning_of(frame: VideoFrame) -> Meaning:
    """What the frame's tags say of its colours."""
    return meaning_of_tags(int(frame.color_trc), int(frame.color_primaries), int(frame.colorspace))


def pixels_of(frames: Neighbours, least: tuple[int, int], rough: bool = False) -> UInt8[np.ndarray, "h w c"]:
    """Upright SDR pixels of the middle frame; the sides of its pixels need not be equal.

    Args:
        frames: The frame between the one before and the one after it, which deinterlacing looks at.
        least: Width and height that will be needed. A frame whose colours must be converted arrives reduced where it
            is much larger, never below twice of this.
        rough: Never below one and a half times of it: of a frame whose shapes alone matter. Light is averaged before it
            is converted, which at edges makes a difference, but costs a fraction.

    Returns:
        RGB, or RGB on plain ground with its cover where some of it is transparent.
    """
    frame = frames[1]
    whole, meaning, orientation = deinterlaced(frames), meaning_of(frame), frame_orientation(frame)
    alpha = has_alpha(frame)
    if meaning.plain:
        image = whole.to_ndarray(format="rgba" if alpha else "rgb24")
    else:
        wide, high = least if orientation[0] else least[::-1]
        spare = _SPARE_ROUGH if rough else _SPARE
        # Under transparent pixels hides what must not bleed: those frames are never reduced here.
        factor = 1 if alpha else max(int(min(frame.width / (spare * wide), frame.height / (spare * high))), 1)
        codes = whole.reformat(
            width=frame.width // factor,
            height=frame.height // factor,
            format="rgba64le" if alpha else "rgb48le",
            interpolation="AREA",
        ).to_ndarray()
        codes = codes.astype(np.uint16, copy=False)
        image = to_sdr(codes[..., :3], meaning)
        if alpha:
            image = np.concatenate((image, (codes[..., 3:] >> 8).astype(np.uint8)), axis=-1)
    if alpha:
        image = on_ground(image)
    return np.ascontiguousarray(turned_upright(image, orientation))


@dataclass
class Treatment:
    """Counts what the frames of a video need, so that it can be said in a sentence each."""

    frames: int = 0
    interlaced: int = 0
    meanings: Counter[Meaning] = field(default_factory=Counter)
    unknown: int = 0

    def see(self, frame: VideoFrame) -> None:
        """Take notice of one more frame."""
        self.frames += 1
        self.interlaced += bool(frame.interlaced_frame)
        self.unknown += int(frame.colorspace) in _UNKNOWN_MATRICES
        self.meanings[meaning_of(frame)] += 1

    def notes(self) -> list[str]:
        """What is done to the frames, or cannot be done."""
        said = [colour_note(meaning) for meaning, _ in self.meanings.most_common(2) if not meaning.plain]
        if self.interlaced:
            part = "" if self.interlaced == self.frames else f" in {self.interlaced} of {self.frames} frames"
            said.append(f"the video is interlaced{part}: deinterlaced")
        if self.unknown:
            said.append("colours in ICtCp cannot be converted and come out wrong: export the video as SDR or HDR10")
        return said
