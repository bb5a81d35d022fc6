"""One video, frame by frame, as every player would show it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.formats import FILM_SUFFIXES
from neoverse_ns.clip.open_source import open_source
from neoverse_ns.clip.source import FrameSource, SeenFrame
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.data.videos.requested import cameras_beside, read_requested
from neoverse_ns.trajectory.foreign.path import ForeignPath

INPUT = "_input"
"""Behind the name of a video: the one that it was made from."""


class VideoScene(BenchmarkScene):
    """A video or a folder of frames; every frame counts, none is cut, sized or left out.

    The frames' cameras are those of the path that lies beside it (see
    :mod:`neoverse_ns.evaluation.data.videos.requested`).

    Attributes:
        file: The video or the folder.
        input: The video that it was made from, `NAME_input.mp4` or a folder `NAME_input`; None where there is none.
        times: Normalised times of the scene that the frames show, where the path says so.
        own_world: Whether the path is in a world of this package, whose unit is the scene's median depth.

    Raises:
        ClipError: It cannot be read, or its path does not belong to it.
    """

    def __init__(self, file: Path, name: str) -> None:
        self.name, self.file, self.folder, self.unit = name, file, file.parent, None
        self.input = _input_of(file)
        self._source: FrameSource = open_source(file, ClipConfig(crop="none", view="none"))
        self._seen: list[SeenFrame] = [seen for seen in self._source.look(0.0, math.inf) if seen is not None]
        if not self._seen:
            raise ClipError(f"{file}: no frame could be decoded")
        self._next = 0
        self._frames_read: Iterator | None = None
        size = self._seen[0].size
        beside = cameras_beside(file)
        path = None if beside is None else read_requested(beside, len(self._seen), size)
        self.times: Float64[Tensor, " n"] | None = None if path is None or path.clock != "shares" else path.times
        self.own_world = path is not None and path.own_world
        K = _intrinsics(path, size)
        label = file.name
        self.frames = tuple(
            BenchmarkFrame(
                name=f"{label}#{seen.index:05d}",
                camera="0",
                time=number,
                seconds=seen.seconds,
                width=size[0],
                height=size[1],
                K=None if K is None else K[number],
                c2w=None if path is None else path.c2w[number],
            )
            for number, seen in enumerate(self._seen)
        )

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        """The picture of a frame; quick where frames are asked for in order.

        Raises:
            ClipError: It cannot be read again.
        """
        if what and "rgb" not in what:
            return BenchmarkPixels()
        number = frame.time
        if self._frames_read is None or number != self._next:
            self._frames_read = self._source.read(self._seen[number:], self._seen[0].size)
        self._next = number + 1
        pixels = next(self._frames_read, None)
        if pixels is None:
            raise ClipError(f"{self.file}: frame {number} cannot be read again")
        rgb: UInt8[Tensor, "h w 3"] = torch.from_numpy(pixels[..., :3].copy())
        if tuple(rgb.shape[1::-1]) != (frame.width, frame.height):
            raise ClipError(f"{self.file}: frame {number} is {rgb.shape[1]}x{rgb.shape[0]}, unlike the first")
        return BenchmarkPixels(rgb=rgb)


def _intrinsics(path: ForeignPath | None, size: tuple[int, int]) -> Float64[Tensor, "n 3 3"] | None:
    """Brought to the video's height, the middle of the picture kept; None where the path has none."""
    if path is None or path.K is None or path.size is None:
        return None
    scale = size[1] / path.size[1]
    K = path.K.clone()
    K[:, :2] *= scale
    K[:, 0, 2] += 0.5 * (size[0] - scale * path.size[0])
    return K


def _input_of(file: Path) -> Path | None:
    stem = file.name if file.is_dir() else file.stem
    places = [file.with_name(f"{stem}{INPUT}{suffix}") for suffix in (".mp4", *sorted(FILM_SUFFIXES), ".gif")]
    folder = file.with_name(f"{stem}{INPUT}")
    return next((place for place in [*places, folder] if place.exists()), None)
