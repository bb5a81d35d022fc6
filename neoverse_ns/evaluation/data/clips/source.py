"""Frames of a clip folder by their numbers, of a video or of images, at their own size."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from neoverse_ns.clip.container import opened_video, packet_stamps
from neoverse_ns.clip.image_file import image_size
from neoverse_ns.clip.images import images_in
from neoverse_ns.clip.source import SeenFrame
from neoverse_ns.clip.video import VideoSource
from neoverse_ns.datafiles.reading import read_rgb
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.folder import video_size

IMAGE_RATE = 30.0
"""Images a second where nobody says."""


def video_frame(at: int, video: str = "clip.mp4") -> str:
    """Name of a frame of a clip's video."""
    return f"{video}/{at:06d}"


@dataclass(eq=False)
class FrameList:
    """All frames there are.

    Attributes:
        size: Width and height.
        names: Of each, relative to the clip's folder.
        seconds: Of each, from the first.
    """

    size: tuple[int, int]
    names: list[str]
    seconds: list[float]


class ClipFrames(FrameList, ABC):
    """The same, with pictures."""

    @abstractmethod
    def read(self, at: int) -> UInt8[np.ndarray, "h w 3"]:
        """RGB of the frame of a number, as the clip loader decodes it.

        Raises:
            ClipError: It cannot be read.
        """


class ImageFrames(ClipFrames):
    """A folder of images inside the clip's."""

    def __init__(self, folder: Path, inside: str = "images") -> None:
        self.files = images_in(folder / inside)
        self.size = image_size(self.files[0])
        self.names = [f"{inside}/{path.name}" for path in self.files]
        self.seconds = [at / IMAGE_RATE for at in range(len(self.files))]

    def read(self, at: int) -> UInt8[np.ndarray, "h w 3"]:
        return read_rgb(self.files[at], self.size).numpy()


class VideoFrames(ClipFrames):
    """The clip's video. Its frames are listed by what the container says, and decoded when they are asked for."""

    def __init__(self, folder: Path, video: str = "clip.mp4") -> None:
        self._source, self.size = VideoSource(folder / video), video_size(folder / video)
        stamps = packet_stamps(folder / video, math.inf)
        if stamps is None:
            self.seconds = [frame.seconds for frame in self._seen.values()]
        else:
            with opened_video(folder / video) as (_, stream):
                step = float(stream.time_base or 1)
            self.seconds = [(stamp - stamps[0]) * step for stamp in stamps]
        self.names = [video_frame(at, video) for at in range(len(self.seconds))]

    def read(self, at: int) -> UInt8[np.ndarray, "h w 3"]:
        if at not in self._seen:
            raise ClipError(f"{self._source.path}: frame {at} is damaged")
        pixels = next(self._source.read([self._seen[at]], self.size), None)
        if pixels is None:
            raise ClipError(f"{self._source.path}: frame {at} cannot be decoded again")
        return np.ascontiguousarray(pixels[..., :3])

    @cached_property
    def _seen(self) -> dict[int, SeenFrame]:
        """What one pass over the whole video saw, which finding frames again exactly needs."""
        return {frame.index: frame for frame in self._source.look(0.0, math.inf) if frame is not None}
