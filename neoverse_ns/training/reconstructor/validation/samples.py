"""The samples that a run is validated on: the same every time, whatever it trains on and with how many processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.console import warn
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.batch import TrainingBatch, collate
from neoverse_ns.training.data.draw import SampleConfig
from neoverse_ns.training.data.jitter import JitterConfig
from neoverse_ns.training.data.make_sample import draw_sample, make_sample, sample_name
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.data.sources import ClipSource, open_clip

_ATTEMPTS = 5


def plain(config: SampleConfig) -> SampleConfig:
    """The settings without what is random beyond the choice of frames: in their own order, size and colours, unworn."""
    return replace(
        config, reversal=0.0, enlargement=1.0, jitter=JitterConfig(probability=0.0, grey=0.0), wear=WearConfig()
    )


class FixedSamples:
    """Samples by number, spread evenly over the sources and over the clips of each.

    Args:
        sources: With clips of their own split.
        count: Of all samples.
        keyframes: Of each.
        plan: Its longest side, and the middle of its shapes.
        config: How samples are made; used without augmentations.
    """

    def __init__(
        self, sources: Sequence[ClipSource], count: int, keyframes: int, plan: PlanConfig, config: SampleConfig
    ) -> None:
        self._sources, self.count, self._keyframes = sources, count, keyframes
        self.height, self.width = plan.size((plan.aspect[0] * plan.aspect[1]) ** 0.5)
        self._config = plain(config)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> TrainingBatch | None:
        """A batch of this sample alone; None where none of some clips can be used, which is told."""
        source = self._sources[number % len(self._sources)]
        place, among = number // len(self._sources), -(-self.count // len(self._sources))
        for attempt in range(_ATTEMPTS):
            row = (place * len(source.rows) // among + attempt) % len(source.rows)
            try:
                return self._make(source, row, number)
            except ClipError as error:
                reason = error
        warn(f"sample {number} of the validation is left out: {reason}")
        return None

    def share(self, process: int, processes: int) -> Iterator[int | None]:
        """Numbers of one process; None where it has to take part without a sample of its own."""
        for first in range(0, self.count, processes):
            number = first + process
            yield number if number < self.count else None

    def _make(self, source: ClipSource, row: int, number: int) -> TrainingBatch:
        clip = open_clip(source.folder, source.rows[row])
        try:
            generator = torch.Generator().manual_seed(number)
            draw = draw_sample(clip.info, self._keyframes, self.height, self.width, self._config, generator)
            return collate([(make_sample(clip, draw), sample_name(clip.info, draw))])
        finally:
            clip.close()
