"""PyAV at arm's length: opening video files safely, decoding what can be decoded, what a frame tells of itself.

Mediapy would not do: it tells no frame its time, and cannot start in the middle (`test_mediapy_knows_no_time_stamps`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from jaxtyping import UInt8

from neoverse_ns.clip.alpha import on_ground
from neoverse_ns.clip.source import PICTURE_SIZE, THUMBNAIL_SIZE
from neoverse_ns.clip.streams import alpha_decoder, chosen_stream, film_streams, has_alpha
from neoverse_ns.clip.upright import frame_orientation
from neoverse_ns.errors import ClipError

# FFmpeg has "demuxers" that draw any text file as a picture; such a file is a mistake here, not a video.
_TEXT_FORMATS = {"tty", "bin", "xbin", "adf", "idf"}


@dataclass
class Damage:
    """Counts pieces that could not be decoded."""

    pieces: int = 0


@contextmanager
def opened_video(path: Path, number: int | None = None) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and find its moving picture: the best, or that of the given number.

    Raises:
        ClipError: The file is empty, not a video, holds only sound, or has no stream of that number.
    """
    try:
        # Only this file: playlists and the like must not reach out to the network. Absolute, because FFmpeg would take
        # a relative "a:b.mp4" for a protocol.
        container = av.open(str(path.resolve()), options={"protocol_whitelist": "file"})
    except PermissionError as error:
        raise ClipError(f"{path}: no permission to read it") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ClipError(f"{path}: not a video, or damaged or truncated beyond reading ({reason})") from error
    with container:
        if set(container.format.name.split(",")) & _TEXT_FORMATS:
            raise ClipError(f"{path}: a text file, not a video")
        streams = film_streams(container)
        if not streams:
            kind = "only sound" if container.streams.audio else "no picture"
            raise ClipError(f"{path}: holds {kind}, no video to work on")
        stream = chosen_stream(streams, number, path)
        stream.thread_type = "AUTO"
        yield container, stream


def decoded(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[VideoFrame]:
    """Every frame that decodes, in presentation order; what does not is counted and left out."""
    packets, decoder = container.demux(stream), alpha_decoder(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = [] if packet is None else packet.decode() if decoder is None else decoder.decode(packet)
        except av.error.FFmpegError:
            damage.pieces += 1
            continue
        if packet is None:
            return
        for frame in frames:
            if isinstance(frame, VideoFrame):
                yield frame


def packet_stamps(path: Path, end: float, number: int | None = None) -> list[int] | None:
    """Time stamps of all frames up to `end` seconds, ascending, read without decoding.

    A frame's place in the list is its place in the video. None where that cannot be relied on: stamps are missing or
    repeated, or packets are marked as not shown.
    """
    stamps: list[int] = []
    with opened_video(path, number) as (container, stream):
        first = next(decoded(container, stream, Damage()), None)
        if first is None or first.pts is None or first.time_base is None:
            return None
        limit = first.pts + end / float(first.time_base)
    with opened_video(path, number) as (container, stream):
        try:
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                if packet.pts is None or packet.is_discard or packet.is_corrupt:
                    return None
                stamps.append(packet.pts)
                # Packets come in decoding order, and none is shown before it is decoded.
                if packet.dts is not None and packet.dts > limit:
                    break
        except av.error.FFmpegError:
            return None
    stamps.sort()
    reliable = bool(stamps) and stamps[0] == first.pts and len(set(stamps)) == len(stamps)
    return stamps if reliable else None


def frame_thumbnail(frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """The frame (not turned) squeezed by the decoder's own scaler, many times faster than converting it in full."""
    width, height = THUMBNAIL_SIZE
    pixels = "rgba" if has_alpha(frame) else "rgb24"
    squeezed = frame.reformat(width=width, height=height, format=pixels, interpolation="AREA").to_ndarray()
    return on_ground(squeezed)[..., :3] if squeezed.shape[-1] == 4 else squeezed


def frame_picture(frame: VideoFrame) -> UInt8[np.ndarray, "h w"]:
    """The same squeezed to `PICTURE_SIZE`, grey."""
    width, height = PICTURE_SIZE
    if not has_alpha(frame):
        return frame.reformat(width=width, height=height, format="gray", interpolation="AREA").to_ndarray()
    squeezed = frame.reformat(width=width, height=height, format="rgba", interpolation="AREA").to_ndarray()
    return cv2.cvtColor(on_ground(squeezed)[..., :3], cv2.COLOR_RGB2GRAY)


def upright_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Displayed width and height in square pixels."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width = max(round(frame.width * aspect), 1) if aspect > 0 else frame.width
    return (frame.height, width) if frame_orientation(frame)[0] == 0 else (width, frame.height)
