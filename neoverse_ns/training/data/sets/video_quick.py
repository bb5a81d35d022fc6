"""Frames of plain videos through torchcodec, where it is installed: the same pixels in less time."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.clip.container import Damage, decoded, opened_video
from neoverse_ns.clip.frame_pixels import meaning_of
from neoverse_ns.clip.streams import has_alpha
from neoverse_ns.clip.upright import frame_orientation
from neoverse_ns.errors import UNREADABLE

PLAIN_FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p")

QuickFrames = Callable[[int], UInt8[Tensor, "h w 3"]]


def quick_frames(path: Path, frames: int) -> QuickFrames | None:
    """A function that reads a frame by its number; None where torchcodec is not installed, or would show others.

    That is of videos that have to be turned, deinterlaced or converted, or of which it counts other frames.

    Args:
        path: Of the video.
        frames: How many there are.
    """
    # It is installed without FFmpeg's libraries, and then cannot be loaded.
    if importlib.util.find_spec("torchcodec") is None or not _is_plain(path):
        return None
    try:
        decoders = importlib.import_module("torchcodec.decoders")
        decoder = decoders.VideoDecoder(str(path), dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode="exact")
        return (lambda index: decoder[index]) if len(decoder) == frames else None
    except (ImportError, *UNREADABLE):
        return None


def _is_plain(path: Path) -> bool:
    """Whether nothing has to be done to frames but to bring them to RGB; by the first one."""
    with opened_video(path) as (container, stream):
        stream.codec_context.thread_count = 1
        frame = next(decoded(container, stream, Damage()), None)
        return (
            frame is not None
            and meaning_of(frame).plain
            and frame.format.name in PLAIN_FORMATS
            and frame_orientation(frame) == (1, 0, 0, 1)
            and not frame.interlaced_frame
            and not has_alpha(frame)
        )
