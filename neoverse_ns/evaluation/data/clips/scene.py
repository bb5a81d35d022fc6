"""A clip folder as a scene: all its frames, and those that the clip loader samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from neoverse_ns.clip.repeats import seen_again
from neoverse_ns.console import quietly
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.folder import (
    BenchmarkClip,
    depth_picture,
    load_benchmark_clip,
    pixel_truth,
    true_cameras,
)
from neoverse_ns.evaluation.data.clips.source import ClipFrames, FrameList, ImageFrames, VideoFrames
from neoverse_ns.evaluation.data.clips.windows import ClipWindow
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.geometry.cameras import PinholeCameras

RIGHT = "1"
"""The second camera beside the clip's own, which is "0"."""


@dataclass(frozen=True)
class Chosen:
    """What was sampled of a window: names of its frames, and of those among them that repeat another."""

    window: ClipWindow
    names: frozenset[str]
    repeated: frozenset[str]


class ClipScene(BenchmarkScene):
    """One clip. Its world is its cameras' file's, whose unit is arbitrary."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self._chosen: list[Chosen] = []
        self._use(folder)

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        wanted, at, found = what or ("rgb",), frame.time, dict[str, Any](masks={})
        left = frame.camera != RIGHT
        if "rgb" in wanted:
            source = self._source if left else self._right
            assert source is not None
            found["rgb"] = torch.from_numpy(source.read(at))
        if "depth" in wanted and left and (self.folder / "depth").is_dir():
            found["depth"] = depth_picture(self.folder, at)
        if "dynamic" in wanted and (moving := self._moving(at, left)) is not None:
            found["masks"]["dynamic"] = moving
        return BenchmarkPixels(**found)

    def choose(self, window: ClipWindow) -> tuple[BenchmarkFrame, ...]:
        """The frames that the clip loader samples of a window, by time.

        Raises:
            ClipError: It cannot.
        """
        with TemporaryDirectory(prefix="neoverse-clip-") as work, quietly():
            clip = load_benchmark_clip(self.folder, window, Path(work)).clip
        own = {frame.time: frame for frame in self.frames if frame.camera != RIGHT}
        frames = tuple(own[index] for index in clip.frame_indices.tolist())
        repeated = {frames[place].name for place in seen_again(clip.frames.numpy())}
        self._chosen.insert(0, Chosen(window, frozenset(frame.name for frame in frames), frozenset(repeated)))
        return frames

    def window(self, frames: Sequence[BenchmarkFrame]) -> ClipWindow:
        """The window that frames were chosen of, the latest one if of several.

        Args:
            frames: Some of what :meth:`choose` gave; those of the second camera are passed over.

        Raises:
            ClipError: They are not.
        """
        return self._choice_of(frames).window

    def repeated(self, frames: Sequence[BenchmarkFrame]) -> frozenset[str]:
        """Names of frames of their window that show what another one shows to the last detail.

        Raises:
            ClipError: They are of none.
        """
        return self._choice_of(frames).repeated

    def sample(self, frames: Sequence[BenchmarkFrame], work: Path, width: int | None = None) -> BenchmarkClip:
        """All frames of a window as the clip loader loads them, with all that is known of them.

        Args:
            frames: Some of what :meth:`choose` gave.
            work: Where links to images may be put.
            width: Of the sampled frames; None takes the library's default.

        Raises:
            ClipError: They are none of :meth:`choose`, or cannot be loaded.
        """
        return load_benchmark_clip(self.folder, self.window(frames), work, width)

    def _choice_of(self, frames: Sequence[BenchmarkFrame]) -> Chosen:
        names = {frame.name for frame in frames if frame.camera != RIGHT}
        found = next((chosen for chosen in self._chosen if names <= chosen.names), None)
        if found is None:
            raise ClipError(f"{self.folder}: these {len(names)} frames are not what the loader samples of any window")
        return found

    def _use(self, folder: Path) -> None:
        """List the frames of a folder."""
        self.folder = folder
        self._source: ClipFrames = VideoFrames(folder) if (folder / "clip.mp4").is_file() else ImageFrames(folder)
        self._right = ImageFrames(folder, "right_images") if (folder / "right_images").is_dir() else None
        cameras, right = (self._cameras(source, place) for place, source in enumerate((self._source, self._right)))
        frames = frames_of("0", self._source, cameras)
        self.frames = tuple(frames if self._right is None else [*frames, *frames_of(RIGHT, self._right, right)])

    def _cameras(self, source: ClipFrames | None, place: int) -> PinholeCameras | None:
        if source is None:
            return None
        return true_cameras(self.folder, torch.arange(len(source.names)), source.size, source.size)[place]

    def _moving(self, at: int, left: bool) -> torch.Tensor | None:
        truth = _truth(self.folder)
        for key in ("dynamic", "things") if left else ("right_things",):
            if key in truth:
                return torch.from_numpy(truth[key][at] > 0)
        return None


def frames_of(camera: str, source: FrameList, cameras: PinholeCameras | None) -> list[BenchmarkFrame]:
    """What is known of all frames of a camera."""
    width, height = source.size
    return [
        BenchmarkFrame(
            name,
            camera,
            at,
            source.seconds[at],
            width,
            height,
            None if cameras is None else cameras.K[at].double(),
            None if cameras is None else cameras.c2w[at].double(),
        )
        for at, name in enumerate(source.names)
    ]


@lru_cache(maxsize=1)
def _truth(folder: Path) -> dict[str, np.ndarray]:
    """Kept, as reading it unpacks all frames."""
    return pixel_truth(folder)
