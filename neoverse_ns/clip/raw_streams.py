"""Bare streams, as cameras write them before they are put into a file format: frames without any time stamp."""

from __future__ import annotations

from av.container import InputContainer
from av.format import Flags
from av.video.stream import VideoStream

# What FFmpeg assumes of a bare stream that states no rate.
_ASSUMED_RATE = 25.0


def is_raw(container: InputContainer) -> bool:
    """Whether a file holds no times, so that those of its frames are made up by whoever reads it."""
    return bool(container.format.flags & Flags.no_timestamps.value) or container.format.name.endswith("_pipe")


def raw_rate(stream: VideoStream, given: float | None) -> tuple[float, str]:
    """Frames per second of a raw stream, and a sentence on where that comes from.

    Args:
        stream: Of which some frames have been decoded: rates are stated among the pictures.
        given: What the user said.
    """
    stated = stream.codec_context.framerate
    if given is not None:
        rate, origin = given, "as --image-rate says"
    elif stated:
        rate, origin = float(stated), "as it states itself; --image-rate for another rate"
    else:
        rate, origin = _ASSUMED_RATE, "which is assumed, as it states none: give the true rate with --image-rate"
    return rate, f"the video has no time stamps: its frames were spaced at {rate:g} a second, {origin}"
