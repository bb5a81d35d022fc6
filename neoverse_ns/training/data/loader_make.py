"""The batch of a step: its clips opened, their samples drawn and made, bad ones replaced; a function of the step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from neoverse_ns.errors import UNREADABLE, ClipError, MemoryShortageError, NeoVerseError, PackageError, SettingsError
from neoverse_ns.training.data.batch import TrainingBatch, collate
from neoverse_ns.training.data.draws import generator_of
from neoverse_ns.training.data.make_sample import SampleConfig, draw_sample, make_sample, sample_name
from neoverse_ns.training.data.mixture import Mixture
from neoverse_ns.training.data.plan import BatchPlan, StepPlan
from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.data.sources import ClipSource, open_clip
from neoverse_ns.training.data.tally import Try, reason_of

_SAMPLE = 6
_OURS = (SettingsError, PackageError, MemoryShortageError)
"""What no other clip would cure."""


@dataclass(frozen=True)
class MadeBatch:
    """What came of a step.

    Attributes:
        batch: None where a sample found no good clip.
        tries: All clips that were tried, in order.
        error: What has to be told instead, where no other clip would help.
    """

    batch: TrainingBatch | None
    tries: list[Try] = field(default_factory=list)
    error: NeoVerseError | None = None

    def pin_memory(self) -> MadeBatch:
        """Called by torch's loader."""
        return self if self.batch is None else MadeBatch(self.batch.pin_memory(), self.tries, self.error)


class BatchMaker:
    """Makes the batch of any step of one process; asks nothing but the step's number, and keeps nothing open."""

    def __init__(
        self,
        sources: Sequence[ClipSource],
        plan: BatchPlan,
        mixture: Mixture,
        config: SampleConfig,
        seed: int,
        rank: int,
        attempts: int = 50,
    ) -> None:
        """For one process.

        Args:
            sources: Of clips.
            plan: Of steps.
            mixture: Of the sources.
            config: Of samples.
            seed: Of all draws.
            rank: Of the process.
            attempts: Clips in a row that may fail for one reason before a sample is given up.
        """
        self._sources, self._plan, self._mixture = list(sources), plan, mixture
        self._config, self._seed, self._rank, self._attempts = config, seed, rank, attempts

    def __call__(self, step: int) -> MadeBatch:
        plan = self._plan.step(step, self._rank)
        tries: list[Try] = []
        samples: list[tuple[TrainingSample, str]] = []
        for number in plan.sample_numbers:
            try:
                found = self._sample(number, plan, tries)
            except _OURS as error:
                return MadeBatch(None, tries, error)
            if found is None:
                return MadeBatch(None, tries)
            samples.append(found)
        return MadeBatch(collate(samples), tries)

    def _sample(self, number: int, plan: StepPlan, tries: list[Try]) -> tuple[TrainingSample, str] | None:
        """A sample, of the first clip of its row of choices that is good; None where none is found."""
        row, before = 0, None
        # Reasons may take turns; somewhere it has to end.
        for attempt in range(4 * self._attempts):
            chosen = self._mixture.choose(number, attempt)
            source = self._sources[chosen.source]
            clip = f"{source.name}, row {chosen.row}"
            try:
                line = source.rows[chosen.row]
                clip = f"{line.dataset}/{line.id}"
                opened = open_clip(source.folder, line)
                try:
                    generator = generator_of(self._seed, _SAMPLE, number, attempt)
                    draw = draw_sample(opened.info, plan.keyframes, plan.height, plan.width, self._config, generator)
                    found = make_sample(opened, draw), sample_name(opened.info, draw)
                finally:
                    opened.close()
            except _OURS:
                raise
            except (ClipError, *UNREADABLE) as error:
                reason = reason_of(error)
                tries.append(Try(number, attempt, clip, reason, " ".join(str(error).split())))
                row, before = row + 1 if reason == before else 1, reason
                if row >= self._attempts:
                    return None
                continue
            tries.append(Try(number, attempt, clip))
            return found
        return None
