"""Frames of a video by number, read in any order, cheaply in ascending order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import av.error
import numpy as np
import torch
from av.video.frame import VideoFrame
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.clip.container import Damage, decoded, opened_video, packet_stamps
from neoverse_ns.clip.frame_pixels import pixels_of
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.video_quick import quick_frames

_FAR = 48
"""Frames ahead up to which decoding on is cheaper than seeking: keyframes seldom lie closer together."""
_BEFORE = 16
"""Frames to begin before the wanted one: the first shown after a keyframe can need those before it, and containers seek
in order of decoding, which is another."""


class VideoFrames:
    """A video that stays open between frames.

    A frame's number is its place in order of time, whatever the rate. It is found by its time stamp; where stamps
    cannot be relied on, by counting from the beginning.

    Raises:
        ClipError: The file is missing or no video.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ClipError(f"{path}: is missing")
        self.path = path
        self._stamps = packet_stamps(path, float("inf"))
        self._stack = ExitStack()
        self._frames: Iterator[VideoFrame] = iter(())
        self._next: int | None = None
        self._quick = None if self._stamps is None else quick_frames(path, len(self._stamps))

    def __len__(self) -> int:
        """How many frames there are.

        Raises:
            ClipError: The file does not say, for want of time stamps.
        """
        if self._stamps is None:
            raise ClipError(f"{self.path}: its frames have no usable time stamps; write it anew as .mp4")
        return len(self._stamps)

    def frame(self, index: int) -> UInt8[Tensor, "h w 3"]:
        """A frame, upright, in sRGB.

        Raises:
            ClipError: There is no such frame, or it cannot be decoded.
        """
        if index < 0 or (self._stamps is not None and index >= len(self._stamps)):
            raise ClipError(f"{self.path}: has no frame {index}")
        if self._quick is not None:
            # What it cannot decode is decoded below, or told.
            with suppress(RuntimeError):
                return self._quick(index)
        if self._next is None or index < self._next or (self._stamps is not None and index > self._next + _FAR):
            self._seek(index)
        frame = self._wanted(index)
        pixels = pixels_of((None, frame, None), (frame.width, frame.height))[..., :3]
        return torch.from_numpy(np.array(pixels))

    def close(self) -> None:
        """Close the file; a later frame opens it again."""
        self._stack.close()
        self._stack, self._frames, self._next = ExitStack(), iter(()), None

    def _seek(self, index: int) -> None:
        """Begin at the keyframe before a frame, or at the very beginning."""
        self.close()
        container, stream = self._stack.enter_context(opened_video(self.path))
        # Workers decode side by side already.
        stream.codec_context.thread_count = 1
        if self._stamps is not None and index > _FAR:
            # A container that cannot seek is read from its beginning.
            with suppress(av.error.FFmpegError):
                container.seek(self._stamps[index - _BEFORE], stream=stream, backward=True)
        self._frames, self._next = decoded(container, stream, Damage()), 0

    def _wanted(self, index: int) -> VideoFrame:
        """Decode on until a frame, by its stamp or by counting."""
        for frame in self._frames:
            if self._stamps is None:
                place, self._next = self._next or 0, (self._next or 0) + 1
                if place == index:
                    return frame
            elif frame.pts is not None and frame.pts >= self._stamps[index]:
                if frame.pts == self._stamps[index]:
                    self._next = index + 1
                    return frame
                break
        self.close()
        raise ClipError(f"{self.path}: frame {index} cannot be decoded: the file is damaged or truncated")
