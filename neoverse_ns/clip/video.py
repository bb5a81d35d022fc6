"""Frames of a video file in presentation order, found again exactly in a second pass."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from jaxtyping import UInt8

from neoverse_ns.clip.changes import ChangeMeter
from neoverse_ns.clip.container import (
    Damage,
    decoded,
    frame_picture,
    frame_thumbnail,
    opened_video,
    packet_stamps,
    upright_size,
)
from neoverse_ns.clip.deinterlace import with_neighbours
from neoverse_ns.clip.focal.hint import SourceFocal
from neoverse_ns.clip.focal.movie import movie_focal
from neoverse_ns.clip.frame_pixels import Treatment, pixels_of
from neoverse_ns.clip.raw_streams import is_raw, raw_rate
from neoverse_ns.clip.source import FrameSource, SeenFrame
from neoverse_ns.clip.streams import stream_notes
from neoverse_ns.clip.view.glimpse import Glimpse
from neoverse_ns.clip.view.video_glimpse import glimpse_of
from neoverse_ns.errors import ClipError

# Decoding this many seconds is cheaper than finding a way around them.
_SKIP_FROM = 10.0
_TOLERANCE = 1e-6


@dataclass
class VideoSource(FrameSource):
    """A video file. Opened anew for every pass, so that nothing stays open between them.

    Attributes:
        stream: Number of the video stream; None takes the best.
        rate: Frames per second of a video without time stamps, if the user said so; others have their own times.
    """

    stream: int | None = None
    rate: float | None = None
    _stamps_usable: bool = field(default=True, repr=False)
    _interlaced: bool = field(default=False, repr=False)

    def length(self) -> float | None:
        with opened_video(self.path, self.stream) as (container, stream):
            if is_raw(container):
                return None
            if stream.duration is not None and stream.time_base is not None:
                return float(stream.duration * stream.time_base)
            return container.duration / av.time_base if container.duration else None

    def count(self) -> int | None:
        with opened_video(self.path, self.stream) as (_, stream):
            return stream.frames or None

    def look(self, start: float, end: float) -> Iterator[SeenFrame | None]:
        clock, damage, complete, changes = _Clock(), Damage(), True, ChangeMeter()
        treatment = Treatment()
        with opened_video(self.path, self.stream) as (container, stream):
            self.notes.extend(stream_notes(container, stream))
            step = float(1 / stream.average_rate) if stream.average_rate else 1 / 30
            raw = is_raw(container)
            for index, frame in self._from(start, end, container, stream, clock, damage):
                if raw and clock.first is None:
                    rate, said = raw_rate(stream, self.rate)
                    step, clock.stamped = 1 / rate, False
                    self.notes.append(said)
                seconds = clock.seconds(frame, step)
                if seconds > end + _TOLERANCE:
                    complete = False
                    break
                self.reached = seconds + step
                if frame.is_corrupt:
                    damage.pieces += 1
                if frame.is_corrupt or seconds < start - _TOLERANCE:
                    yield None
                    continue
                treatment.see(frame)
                stamp = frame.pts if clock.regular else None
                change, picture = changes.measure(frame_picture(frame), seconds)
                yield SeenFrame(
                    index, seconds, upright_size(frame, stream), frame_thumbnail(frame), stamp, change, picture
                )
        self.notes.extend(treatment.notes())
        self._stamps_usable, self._interlaced = clock.regular, treatment.interlaced > 0
        if clock.stamped and not clock.regular:
            self.notes.append("some time stamps are missing or run backwards: those frames were spaced evenly")
        if damage.pieces:
            self.notes.append(f"{damage.pieces} damaged pieces of the video were left out")
        length = self.length()
        if complete and length is not None and length > self.reached + max(0.5, 0.05 * length):
            self.notes.append(f"the video breaks off at second {self.reached:.1f} of {length:.1f}: it seems truncated")

    def _from(
        self, start: float, end: float, container: InputContainer, stream: VideoStream, clock: _Clock, damage: Damage
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Frames with their positions, from a keyframe before `start` where it is far and positions stay certain."""
        stamps = packet_stamps(self.path, end, self.stream) if start > _SKIP_FROM and not is_raw(container) else None
        if stamps is not None and stream.time_base is not None:
            places = {stamp: index for index, stamp in enumerate(stamps)}
            goal = stamps[0] + int(start / stream.time_base)
            frames = _decoded_near(container, stream, max(goal - int(1 / stream.time_base), stamps[0]), damage)
            first = next(frames, None)
            if first is not None and first.pts in places and first.pts <= goal:
                clock.begin(float(stamps[0] * stream.time_base))
                yield places[first.pts], first
                yield from ((places[frame.pts], frame) for frame in frames if frame.pts in places)
                return
        with opened_video(self.path, self.stream) as (fresh, picture):
            yield from enumerate(decoded(fresh, picture, damage))

    def read(
        self, frames: Sequence[SeenFrame], least: tuple[int, int], rough: Collection[int] = ()
    ) -> Iterator[UInt8[np.ndarray, "h w c"]]:
        done = 0
        if self._stamps_usable:
            for pixels in self._read_after_seek(frames, least, rough):
                done += 1
                yield pixels
        if done < len(frames):
            yield from self._read_from_start(frames[done:], least, rough)

    def _read_after_seek(
        self, frames: Sequence[SeenFrame], least: tuple[int, int], rough: Collection[int]
    ) -> Iterator[UInt8[np.ndarray, "h w c"]]:
        """Seek to the keyframe before the first frame; ends early at the first frame that does not come out the same.

        Seeking is not exact in every container, and frames after an open group of pictures can differ, so each frame
        must have the time stamp and the thumbnail of the first pass.
        """
        wanted = iter(frames)
        seen = next(wanted)
        with opened_video(self.path, self.stream) as (container, stream):
            if seen.stamp is None:
                return
            # Deinterlacing looks at the frame before, which a keyframe at the very place would not have.
            goal = seen.stamp - 1 if self._interlaced and seen.index > 0 else seen.stamp
            for neighbours in with_neighbours(_decoded_near(container, stream, goal, Damage())):
                frame = neighbours[1]
                if frame.pts is None or seen.stamp is None or frame.pts > seen.stamp:
                    return
                if frame.pts < seen.stamp:
                    continue
                alone = self._interlaced and neighbours[0] is None and seen.index > 0
                if alone or not np.array_equal(frame_thumbnail(frame), seen.thumbnail):
                    return
                yield pixels_of(neighbours, least, seen.index in rough)
                following = next(wanted, None)
                if following is None:
                    return
                seen = following

    def _read_from_start(
        self, frames: Sequence[SeenFrame], least: tuple[int, int], rough: Collection[int]
    ) -> Iterator[UInt8[np.ndarray, "h w c"]]:
        """Decode everything; recognise frames by time stamp, or by position where stamps are useless."""
        wanted = {frame.stamp if self._stamps_usable else frame.index: frame.index in rough for frame in frames}
        with opened_video(self.path, self.stream) as (container, stream):
            for index, neighbours in enumerate(with_neighbours(decoded(container, stream, Damage()))):
                key = neighbours[1].pts if self._stamps_usable else index
                if key in wanted:
                    yield pixels_of(neighbours, least, wanted.pop(key))
                if not wanted:
                    return
        raise ClipError(f"{self.path}: {len(wanted)} frames could not be decoded again; did the file change meanwhile?")

    def glimpse(self, start: float, end: float) -> Glimpse:
        try:
            last = min(end, self.length() or end)
            with opened_video(self.path, self.stream) as (container, stream):
                return glimpse_of(container, stream, start, last)
        except (ClipError, av.error.FFmpegError):
            return Glimpse()  # What is wrong with the file is said where all of it is looked at.

    def focal(self, frames: Sequence[SeenFrame], notes: list[str]) -> SourceFocal | None:
        with opened_video(self.path, self.stream) as (container, stream):
            metadata = {**container.metadata, **stream.metadata}
        return movie_focal(self.path, frames[0].size, metadata, notes)


def _decoded_near(container: InputContainer, stream: VideoStream, stamp: int, damage: Damage) -> Iterator[VideoFrame]:
    """Frames from the last keyframe that the container's index knows before `stamp`; none where it cannot seek."""
    try:
        container.seek(stamp, stream=stream, backward=True)
    except av.error.FFmpegError:
        return
    yield from decoded(container, stream, damage)


@dataclass
class _Clock:
    """Turns time stamps into seconds since the first frame, strictly ascending.

    Attributes:
        first: Time stamp of the first frame in seconds.
        last: Seconds of the latest frame.
        regular: Whether every frame had a time stamp that is later than those before.
        stamped: Whether time stamps mean anything.
    """

    first: float | None = None
    last: float | None = None
    regular: bool = True
    stamped: bool = True

    def begin(self, first: float) -> None:
        """Set the first frame's time without seeing it."""
        self.first = first

    def seconds(self, frame: VideoFrame, step: float) -> float:
        """Seconds of the next frame; `step` after the previous one where its time stamp is missing or not later."""
        known = self.stamped and frame.pts is not None and frame.time_base
        time = float(frame.pts * frame.time_base) if known else None  # type: ignore[operator]
        if self.first is None:
            self.first, self.last, self.regular = time or 0.0, 0.0, time is not None
        elif time is None or (self.last is not None and time - self.first <= self.last):
            self.regular = False
            self.last = (self.last or 0.0) + step
        else:
            self.last = time - self.first
        return self.last or 0.0
