"""The synthetic clips as scenes, which are rendered when the first picture is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from neoverse_ns.clip.sampling import sample_evenly
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.demo import RATE, Foretold
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip, cameras_at
from neoverse_ns.evaluation.data.clips.scene import RIGHT, Chosen, ClipScene, frames_of
from neoverse_ns.evaluation.data.clips.source import IMAGE_RATE, FrameList, video_frame
from neoverse_ns.evaluation.data.clips.windows import ClipWindow
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, Known

_NEAR = 1e-6
"""Seconds by which a frame may lie outside of a window."""


class SyntheticScene(ClipScene):
    """A clip whose frames, times and cameras are known before it is rendered: who only plans does not wait for it.

    Args:
        name: Of the scene.
        foretell: Says how a clip of at least so many frames will be.
        render: Renders it and gives its folder.
    """

    def __init__(self, name: str, foretell: Callable[[int], Foretold], render: Callable[[int], Path]) -> None:
        self.name, self.folder = name, Path(name)
        self._foretell, self._render = foretell, render
        self._announce(1)

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        self._make()
        return super().read(frame, *what)

    def sample(self, frames: Sequence[BenchmarkFrame], work: Path, width: int | None = None) -> BenchmarkClip:
        self._make()
        return super().sample(frames, work, width)

    def repeated(self, frames: Sequence[BenchmarkFrame]) -> frozenset[str]:
        """See :meth:`ClipScene.repeated`; what a camera on a tripod repeats is only known once it is rendered."""
        if self._stands:
            self._make()
        return super().repeated(frames)

    def choose(self, window: ClipWindow) -> tuple[BenchmarkFrame, ...]:
        """See :meth:`ClipScene.choose`; a window of more frames than there are asks for a longer clip."""
        if window.num_frames > self._count:
            self._announce(window.num_frames)
        own = self.frames[: self._count]
        start, duration = window.window(self._count / RATE)
        seen = [frame for frame in own if start - _NEAR <= frame.seconds <= start + duration + _NEAR]
        seconds = np.array([frame.seconds for frame in seen])
        frames = tuple(seen[at] for at in sample_evenly(seconds, min(window.num_frames, len(seen))))
        # Where the camera walks no picture repeats another.
        self._chosen.insert(0, Chosen(window, frozenset(frame.name for frame in frames), frozenset()))
        return frames

    def _announce(self, count: int) -> None:
        """List the frames of a clip that is not there yet."""
        clip = self._foretell(count)
        self._count, self._chosen, self._made = len(clip.cameras), [], False
        self._stands = clip.right is None
        size, every = (clip.cameras.width, clip.cameras.height), range(self._count)
        stored = {
            "frame_index": np.arange(self._count, dtype=np.float64),
            "c2w": clip.cameras.c2w.numpy(),
            "K": clip.cameras.K.numpy(),
        }
        if clip.right is not None:
            stored |= {"right_c2w": clip.right.c2w.numpy(), "right_K": clip.right.K.numpy()}
        cameras, right = cameras_at(stored, torch.arange(self._count), size, size)
        own = FrameList(size, [video_frame(at) for at in every], [at / RATE for at in every])
        beside = FrameList(size, [f"right_images/{at:05d}.png" for at in every], [at / IMAGE_RATE for at in every])
        frames = frames_of("0", own, cameras)
        self.frames = tuple(frames if right is None else [*frames, *frames_of(RIGHT, beside, right)])

    def _make(self) -> None:
        """Render, and see that what was planned is what there is.

        Raises:
            ClipError: It is not.
        """
        if self._made:
            return
        frames, chosen = self.frames, self._chosen
        self._chosen = []
        self._use(self._render(self._count))
        for planned in reversed(chosen):
            super().choose(planned.window)
        sampled = [[(one.window, one.names) for one in some] for some in (self._chosen, chosen)]
        again = [] if self._stands else [one for one in self._chosen if one.repeated]
        if sampled[0] != sampled[1] or again or not _equal(self.frames, frames):
            raise ClipError(f"{self.folder}: {self.name} is not as it was said to become")
        self._made = True


def _equal(some: Sequence[BenchmarkFrame], others: Sequence[BenchmarkFrame]) -> bool:
    if len(some) != len(others):
        return False
    return all(_facts(one) == _facts(other) for one, other in zip(some, others, strict=True))


def _facts(frame: BenchmarkFrame) -> tuple[object, ...]:
    matrices = [None if one is None else one.tolist() for one in (frame.K, frame.c2w)]
    return frame.name, frame.camera, frame.time, frame.seconds, frame.width, frame.height, *matrices
