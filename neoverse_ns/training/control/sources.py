"""Where training's clips come from: a folder of ordinary videos, or the rows of a manifest. Frames alone are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.resize import fit
from neoverse_ns.clip.sampling import spaced, spaced_start
from neoverse_ns.errors import ClipError
from neoverse_ns.training.control.clips import TrainingClip
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sources import Rows, open_clip

SECONDS_APART = 0.2
"""Its clips have to be long enough for frames this far apart, rounded down to whole frames."""


class ClipSource(ABC):
    """Clips by number. Reading one depends on nothing that was read before, in whatever process it is done."""

    @abstractmethod
    def __len__(self) -> int:
        """How many there are."""

    @abstractmethod
    def name(self, number: int) -> str:
        """What a clip is called in messages."""

    @abstractmethod
    def caption(self, number: int) -> str | None:
        """What a clip shows in words, where somebody wrote it down."""

    @abstractmethod
    def read(self, number: int, offset: float) -> Clip:
        """Frames of a clip, one in 1 to `spacing` of the source's: the fewest of it that fit.

        Args:
            number: Of the clip.
            offset: Which share of the frames left over lies before the first.

        Raises:
            ClipError: It cannot be read, or is too short.
        """


@dataclass(frozen=True)
class FolderSource(ClipSource):
    """Videos and folders of images as people have them: the longest shot, upright, without bars.

    Attributes:
        clips: At least one.
        config: Which frames, and at which size.
        device: Decides the default size.
        tracking: Read the frames between the sampled ones, too.
        shorten: Take what a shorter clip has; otherwise it is bad.
    """

    clips: Sequence[TrainingClip]
    config: ClipConfig
    device: str
    tracking: bool = False
    shorten: bool = True

    def __len__(self) -> int:
        return len(self.clips)

    def name(self, number: int) -> str:
        return self.clips[number].path.name

    def caption(self, number: int) -> str | None:
        return self.clips[number].caption

    def read(self, number: int, offset: float) -> Clip:
        """See :class:`ClipSource`."""
        # Loads PyAV and OpenCV.
        from neoverse_ns.clip.load import load_clip

        config = self.config if self.config.spacing is None else replace(self.config, spacing_offset=offset)
        clip = load_clip(self.clips[number].path, config, self.device, tracking=self.tracking)
        wanted = config.frames_wanted(self.device)
        if not self.shorten and len(clip) < wanted:
            raise ClipError(f"too short: {len(clip)} frames of the {wanted} wanted (--short-clips shorten takes them)")
        return clip


@dataclass(frozen=True)
class ManifestSource(ClipSource):
    """Rows of a manifest: clips that somebody has already cut to one shot each.

    Attributes:
        rows: At least one; read one at a time.
        folder: That places in them are relative to.
        config: `num_frames` and `spacing` count, the rest is for ordinary videos.
        size: Width and height that frames are scaled and cut to.
        shorten: As in :class:`FolderSource`; otherwise a clip also needs 0.2 seconds from one frame to the next.
    """

    rows: Rows
    folder: Path
    config: ClipConfig
    size: tuple[int, int]
    shorten: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def name(self, number: int) -> str:
        row = self.rows[number]
        return f"{row.dataset}/{row.id}"

    def caption(self, number: int) -> str | None:
        return self.rows[number].caption

    def read(self, number: int, offset: float) -> Clip:
        """See :class:`ClipSource`."""
        row = self.rows[number]
        wanted = self.config.frames_wanted("cpu")
        chosen = chosen_frames(row, wanted, self.config.spacing or 1, offset, self.shorten)
        clip = open_clip(self.folder, row)
        try:
            frames = np.stack([self._fitted(clip.frame(index).rgb.numpy()) for index in chosen])
        finally:
            clip.close()
        indices = torch.tensor(chosen, dtype=torch.int64)
        return Clip(torch.from_numpy(frames), indices, indices.to(torch.float64) / (row.fps or 1.0), Path(row.id))

    def _fitted(self, frame: np.ndarray) -> np.ndarray:
        return fit(frame, (frame.shape[1], frame.shape[0]), self.size)


def chosen_frames(row: ManifestRow, wanted: int, furthest: int, offset: float, shorten: bool) -> list[int]:
    """Numbers of the frames that are read of a clip: as far apart as fits, at most `furthest`.

    Args:
        row: Says how many there are, and how many a second.
        wanted: Frames.
        furthest: Largest step from one to the next.
        offset: Which share of the frames left over lies before the first.
        shorten: Take all frames of a clip that has too few.

    Raises:
        ClipError: It is too short.
    """
    least = wanted if shorten else max(int(SECONDS_APART * row.fps), 1) * (wanted - 1) + 1
    if row.frames < least and not (shorten and row.frames > 0):
        raise ClipError(f"too short: {row.frames} frames at {row.fps:g} a second, {least} are the least")
    wanted = min(wanted, row.frames)
    step = spaced(row.frames, wanted, furthest)
    begin = spaced_start(row.frames, wanted, step, offset)
    return list(range(begin, begin + (wanted - 1) * step + 1, step))
