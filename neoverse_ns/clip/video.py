"""Frames of a video file, decoded with PyAV: upright, in presentation order, whatever the container does."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from jaxtyping import UInt8

from neoverse_ns.clip.source import THUMBNAIL_SIZE, FrameSource, SeenFrame
from neoverse_ns.errors import ClipError

# FFmpeg has "decoders" that draw any text file as a picture; such a file is a mistake here, not a video.
_TEXT_FORMATS = {"tty", "bintext", "xbin", "adf", "idf", "sbg", "lrc"}
_ATTACHED_PICTURE = 0x400


@dataclass
class VideoSource(FrameSource):
    """A video file. Opened anew for every pass, so that nothing stays open between them."""

    _stamps_usable: bool = field(default=True, repr=False)

    def length(self) -> float | None:
        with _opened(self.path) as (container, stream):
            if stream.duration is not None and stream.time_base is not None:
                return float(stream.duration * stream.time_base)
            return container.duration / av.time_base if container.duration else None

    def count(self) -> int | None:
        with _opened(self.path) as (_, stream):
            return stream.frames or None

    def look(self, start: float, end: float) -> Iterator[SeenFrame | None]:
        clock = _Clock()
        damage = _Damage()
        with _opened(self.path) as (container, stream):
            step = float(1 / stream.average_rate) if stream.average_rate else 1 / 30
            for index, frame in enumerate(_decoded(container, stream, damage)):
                seconds = clock.seconds(frame, step)
                if seconds > end + 1e-6:
                    break
                if frame.is_corrupt:
                    damage.packets += 1
                if frame.is_corrupt or seconds < start - 1e-6:
                    yield None
                    continue
                stamp = frame.pts if clock.regular else None
                yield SeenFrame(index, seconds, _upright_size(frame, stream), _thumbnail(frame), stamp)
        self._stamps_usable = clock.regular
        if not clock.regular:
            self.notes.append("some time stamps are missing or run backwards: those frames were spaced evenly")
        if damage.packets:
            self.notes.append(f"{damage.packets} damaged pieces of the video were skipped")

    def read(self, frames: Sequence[SeenFrame], least: tuple[int, int]) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        done = 0
        if self._stamps_usable and frames[0].index > 0:
            for pixels in self._read_by_stamp(frames):
                done += 1
                yield pixels
        if done < len(frames):
            yield from self._read_by_position(frames[done:])

    def _read_by_stamp(self, frames: Sequence[SeenFrame]) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Seek to the keyframe before the first frame; ends early at the first frame that does not come out the same.

        Seeking is not exact in every container, and frames after an open group of pictures can differ, so each frame
        must have the time stamp and the thumbnail of the first pass.
        """
        wanted = iter(frames)
        seen = next(wanted)
        with _opened(self.path) as (container, stream):
            if seen.stamp is None:
                return
            try:
                container.seek(seen.stamp, stream=stream, backward=True)
            except av.error.FFmpegError:
                return
            for frame in _decoded(container, stream, _Damage()):
                if frame.pts is None or seen.stamp is None or frame.pts > seen.stamp:
                    return
                if frame.pts < seen.stamp:
                    continue
                if not np.array_equal(_thumbnail(frame), seen.thumbnail):
                    return
                yield _pixels(frame)
                following = next(wanted, None)
                if following is None:
                    return
                seen = following

    def _read_by_position(self, frames: Sequence[SeenFrame]) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Decode from the start and count."""
        wanted = {frame.index for frame in frames}
        with _opened(self.path) as (container, stream):
            for index, frame in enumerate(_decoded(container, stream, _Damage())):
                if index in wanted:
                    wanted.remove(index)
                    yield _pixels(frame)
                if not wanted:
                    return
        raise ClipError(f"{self.path}: frame {min(wanted)} could not be decoded again; did the file change meanwhile?")


@dataclass
class _Damage:
    """Counts what could not be decoded."""

    packets: int = 0


@dataclass
class _Clock:
    """Turns time stamps into seconds since the first frame, strictly ascending."""

    first: float | None = None
    last: float | None = None
    regular: bool = True

    def seconds(self, frame: VideoFrame, step: float) -> float:
        """Seconds of the next frame; `step` after the previous one where its time stamp is missing or not later."""
        time = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else None
        if self.first is None or self.last is None:
            self.first, self.last, self.regular = time or 0.0, 0.0, time is not None
            return 0.0
        if time is None or time - self.first <= self.last:
            self.regular = False
            self.last += step
        else:
            self.last = time - self.first
        return self.last


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
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
        raise ClipError(
            f"{path}: cannot be opened as a video ({_reason(error)}); it is damaged, truncated or not a video"
        ) from error
    with container:
        if set(container.format.name.split(",")) & _TEXT_FORMATS:
            raise ClipError(f"{path}: is a text file, not a video")
        streams = [s for s in container.streams.video if not int(s.disposition) & _ATTACHED_PICTURE]
        if not streams:
            kind = "only sound" if container.streams.audio else "no picture"
            raise ClipError(f"{path}: holds {kind}, no video to work on")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


def _decoded(container: InputContainer, stream: VideoStream, damage: _Damage) -> Iterator[VideoFrame]:
    """Every frame that decodes, in presentation order; what does not is counted and left out."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            frames = packet.decode()
        except av.error.FFmpegError:
            damage.packets += 1
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame):
                yield frame


def _reason(error: BaseException) -> str:
    """FFmpeg's own words without number and path."""
    return str(getattr(error, "strerror", None) or error)


def _orientation(frame: VideoFrame) -> tuple[int, int, int, int]:
    """Signs of the display matrix: displayed x = a x + c y, displayed y = b x + d y, as (a, b, c, d)."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return 1, 0, 0, 1
    matrix = struct.unpack("<9i", bytes(data)[:36])
    a, b, _, c, d = (0 if abs(v) < 1 << 15 else (1 if v > 0 else -1) for v in matrix[:5])
    # Oblique rotations cannot be undone by turning pixels; players show those frames as they are, too.
    return (a, b, c, d) if abs(a * d - b * c) == 1 and a * b == 0 else (1, 0, 0, 1)


def _upright(image: np.ndarray, signs: tuple[int, int, int, int]) -> np.ndarray:
    """Turn and flip an image [h,w,...] by the signs of its display matrix."""
    a, b, c, d = signs
    if a == 0:
        image, a, d = np.swapaxes(image, 0, 1), c, b
    return image[::d, ::a]


def _pixels(frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    return np.ascontiguousarray(_upright(frame.to_ndarray(format="rgb24"), _orientation(frame)))


def _thumbnail(frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """The frame squeezed by the decoder's own scaler, which is many times faster than converting it in full."""
    width, height = THUMBNAIL_SIZE
    return frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA").to_ndarray()


def _upright_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Displayed width and height in square pixels."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width = round(frame.width * aspect) if aspect > 0 else frame.width
    return (frame.height, width) if _orientation(frame)[0] == 0 else (width, frame.height)
