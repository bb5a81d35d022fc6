"""Clips decoded ahead, by worker processes, in an order that no worker decides."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.wear.apply import wear_inputs
from neoverse_ns.clip.wear.draw import WearDraw
from neoverse_ns.console import quietly
from neoverse_ns.errors import NeoVerseError
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.sources import ClipSource
from neoverse_ns.training.control.visits import Visit, visit_at, wear_of
from neoverse_ns.training.data.loader_steps import StepLoader
from neoverse_ns.training.data.tally import Try, reason_of

_ATTEMPTS = 60
"""Clips tried in a row before the run is asked whether it wants more; it stops at fewer of one reason."""


@dataclass(frozen=True)
class Loaded:
    """What came of a visit.

    Attributes:
        visit: The one that worked out, or the last one that did not.
        clip: Its frames; None where none of the clips that were tried could be read.
        worn: The same as a poor camera had filmed them, of which the scene is to be made; None where that is no matter.
        tries: Clips that could not be read before it.
    """

    visit: Visit
    clip: Clip | None
    worn: Clip | None = None
    tries: list[Try] = field(default_factory=list)


class VisitedClips:
    """Clips by the position of their visit.

    Args:
        source: Reads them.
        config: Of the run.
        rank: Of this process.
        processes: How many there are, who share the positions in turn.
    """

    def __init__(self, source: ClipSource, config: ControlTrainingConfig, rank: int = 0, processes: int = 1) -> None:
        self.source, self._config = source, config
        self._rank, self._processes = rank, processes

    def position(self, visit: int) -> int:
        """Where this process's visit of that number stands among those of all."""
        return visit * self._processes + self._rank

    def of_visit(self, visit: int) -> Loaded:
        """What :meth:`load` gives for this process's visit of that number."""
        return self.load(self.position(visit))

    def load(self, position: int, attempt: int = 0) -> Loaded:
        """Read the clip of a position, or the first in its place that can be read.

        Args:
            position: Number of the visit among those of all processes.
            attempt: How many clips there are already known to be bad.
        """
        tries: list[Try] = []
        while True:
            visit = visit_at(self._config, len(self.source), position, attempt)
            try:
                # A line or two for each of a million clips would bury everything else.
                with quietly():
                    clip = self.source.read(visit.clip, visit.offset)
                return Loaded(visit, clip, worn_clip(clip, wear_of(self._config, visit)), tries)
            except NeoVerseError as error:
                tries.append(failed(self.source, visit, error))
            attempt += 1
            if len(tries) >= _ATTEMPTS:
                return Loaded(visit, None, None, tries)


def worn_clip(clip: Clip, draw: WearDraw) -> Clip | None:
    """The clip as worn, without the frames between its own, which would be clean; None where nothing is done to it."""
    if draw.nothing:
        return None
    worn = wear_inputs(clip.frames.permute(0, 3, 1, 2).to(torch.float32) / 255, draw)
    frames = (255 * worn).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    return replace(clip, frames=frames, tracking=None)


def failed(source: ClipSource, visit: Visit, error: Exception) -> Try:
    """Why a visit came to nothing."""
    return Try(visit.position, visit.attempt, source.name(visit.clip), reason_of(error), str(error))


def visits(clips: VisitedClips, first: int, workers: int) -> Iterator[Loaded]:
    """Loaded clips of this process's visits from the `first` on, without end; equal for any number of workers.

    Args:
        clips: Read in the workers.
        first: Number of the first visit.
        workers: Processes that read ahead, two clips each; 0 reads in this one when asked.
    """
    if workers:
        # What a worker needs is imported once, by the process that they come from.
        multiprocessing.set_forkserver_preload(["neoverse_ns.clip.load", __name__])
    return StepLoader(clips.of_visit, first, workers=workers, begun="forkserver")
