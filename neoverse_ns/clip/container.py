"""PyAV at arm's length: opening video files safely, decoding what can be decoded, turning frames upright.

Mediapy would not do: it tells no frame its time, and cannot start in the middle (`test_mediapy_knows_no_time_stamps`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from jaxtyping import UInt8

from neoverse_ns.clip.source import PICTURE_SIZE, THUMBNAIL_SIZE
from neoverse_ns.errors import ClipError

# FFmpeg has "demuxers" that draw any text file as a picture; such a file is a mistake here, not a video.
_TEXT_FORMATS = {"tty", "bin", "xbin", "adf", "idf"}


@dataclass
class Damage:
    """Counts pieces that could not be decoded."""

    pieces: int = 0


@contextmanager
def opened_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and find its moving picture.

    Raises:
        ClipError: The file is empty, not a video, or holds only sound.
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
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            kind = "only sound" if container.streams.audio else "no picture"
            raise ClipError(f"{path}: holds {kind}, no video to work on")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


def decoded(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[VideoFrame]:
    """Every frame that decodes, in presentation order; what does not is counted and left out."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = [] if packet is None else packet.decode()
        except av.error.FFmpegError:
            damage.pieces += 1
            continue
        if packet is None:
            return
        for frame in frames:
            if isinstance(frame, VideoFrame):
                yield frame


def packet_stamps(path: Path, end: float) -> list[int] | None:
    """Time stamps of all frames up to `end` seconds, ascending, read without decoding.

    A frame's place in the list is its place in the video. None where that cannot be relied on: stamps are missing or
    repeated, or packets are marked as not shown.
    """
    stamps: list[int] = []
    with opened_video(path) as (container, stream):
        first = next(decoded(container, stream, Damage()), None)
        if first is None or first.pts is None or first.time_base is None:
            return None
        limit = first.pts + end / float(first.time_base)
    with opened_video(path) as (container, stream):
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


def pixels_of(frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """Upright RGB in full size; the sides of its pixels need not be equal."""
    return np.ascontiguousarray(_upright(frame.to_ndarray(format="rgb24"), _orientation(frame)))


def frame_thumbnail(frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """The frame (not turned) squeezed by the decoder's own scaler, many times faster than converting it in full."""
    width, height = THUMBNAIL_SIZE
    return frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA").to_ndarray()


def frame_picture(frame: VideoFrame) -> UInt8[np.ndarray, "h w"]:
    """The same squeezed to `PICTURE_SIZE`, grey."""
    width, height = PICTURE_SIZE
    return frame.reformat(width=width, height=height, format="gray", interpolation="AREA").to_ndarray()


def upright_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Displayed width and height in square pixels."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width = max(round(frame.width * aspect), 1) if aspect > 0 else frame.width
    return (frame.height, width) if _orientation(frame)[0] == 0 else (width, frame.height)


def _orientation(frame: VideoFrame) -> tuple[int, int, int, int]:
    """Signs (a, b, c, d) of the display matrix: displayed x = a x + c y, displayed y = b x + d y."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return 1, 0, 0, 1
    matrix = struct.unpack("<5i", bytes(data)[:20])
    a, b, _, c, d = (0 if abs(v) < 1 << 15 else (1 if v > 0 else -1) for v in matrix)
    # Oblique rotations cannot be undone by turning pixels; players show those frames as they are, too.
    return (a, b, c, d) if abs(a * d - b * c) == 1 and a * b == 0 else (1, 0, 0, 1)


def _upright(image: UInt8[np.ndarray, "h w 3"], signs: tuple[int, int, int, int]) -> UInt8[np.ndarray, "uh uw 3"]:
    """Turn and flip an image by the signs of its display matrix."""
    a, b, c, d = signs
    if a == 0:
        image, a, d = np.swapaxes(image, 0, 1), c, b
    return image[::d, ::a]
