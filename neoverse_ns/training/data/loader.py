"""Batches for a training, step after step: made ahead by worker processes, the same whatever their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from neoverse_ns.errors import RunError
from neoverse_ns.training.data.batch import TrainingBatch
from neoverse_ns.training.data.loader_make import BatchMaker, MadeBatch
from neoverse_ns.training.data.loader_steps import StepLoader
from neoverse_ns.training.data.make_sample import SampleConfig
from neoverse_ns.training.data.mixture import CurriculumConfig, Mixture
from neoverse_ns.training.data.plan import BatchPlan, PlanConfig
from neoverse_ns.training.data.sources import ClipSource, divided
from neoverse_ns.training.data.tally import Tally


class TrainingBatches(Iterator[TrainingBatch]):
    """One batch a step, without end; see :func:`training_batches`."""

    def __init__(self, steps: StepLoader[MadeBatch], plan: BatchPlan, tally: Tally) -> None:
        self._steps, self._plan, self._tally = steps, plan, tally

    @property
    def waited(self) -> float:
        """Seconds that the training has waited for data in all."""
        return self._steps.waited

    def history(self) -> list[list[int]]:
        """For checkpoints before the next step: how many processes there were when; `training_batches` takes it."""
        return self._plan.history_at(self._steps.step)

    def samples(self) -> int:
        """How many samples all processes together have had before the next step."""
        return self._plan.samples_before(self._steps.step)

    def begin(self) -> None:
        """Start the workers now: a process that has drawn anything may not be forked any more."""
        self._steps.begin()

    def __next__(self) -> TrainingBatch:
        """The batch of the next step.

        Raises:
            RunError: Too many clips are bad, or a worker was killed.
            SettingsError: A data set is asked for what it cannot do.
            PackageError: One needs a package that is not installed.
        """
        made = next(self._steps)
        self._tally.note(made.tries)
        if made.error is not None:
            raise made.error
        if made.batch is None:
            last = made.tries[-1]
            raise RunError(f"{len(made.tries)} clips in a row could not be used: {last.clip}: {last.message}")
        return made.batch

    def close(self) -> None:
        """End the workers."""
        self._steps.close()


def training_batches(
    sources: Sequence[ClipSource],
    plan_config: PlanConfig,
    sample_config: SampleConfig,
    seed: int,
    first_step: int = 0,
    rank: int = 0,
    world_size: int = 1,
    workers: int = 0,
    tally: Tally | None = None,
    *,
    curriculum: CurriculumConfig | None = None,
    history: Sequence[Sequence[int]] = (),
    prefetch: int = 2,
    pin_memory: bool | None = None,
) -> TrainingBatches:
    """Batches of one process from a step on.

    What comes is a function of all arguments but `first_step`, `workers`, `prefetch` and `pin_memory`: a run that is
    stopped and goes on sees what it would have seen. Steps are those of batches: who accumulates gradients over several
    batches counts each.

    Args:
        sources: Of clips, with their weights; their order counts.
        plan_config: Sizes of batches.
        sample_config: How samples are made.
        seed: Of all draws.
        first_step: The first that is wanted.
        rank: Of the process.
        world_size: How many there are.
        workers: Processes that load; 0 loads when a batch is asked for.
        tally: Takes notice of bad clips; its state belongs into checkpoints. None lists them nowhere.
        curriculum: From static clips to all; None for none.
        history: Of `TrainingBatches.history` at `first_step`, where the number of processes may have changed.
        prefetch: Batches that each worker may be ahead.
        pin_memory: None where there is CUDA.

    Raises:
        SettingsError: A setting is out of range, or there are no clips.
        ClipError: A manifest is damaged.
    """
    plan = BatchPlan(plan_config, seed, world_size, first_step, history)
    sample_config.validate()
    tally = Tally() if tally is None else tally
    if curriculum is not None and curriculum.mixed_from:
        sources = [part for source in sources for part in divided(source)]
    mixture = Mixture(
        [len(source.rows) for source in sources],
        [source.weight for source in sources],
        seed,
        [source.static for source in sources],
        curriculum,
        plan.step_of,
    )
    maker = BatchMaker(sources, plan, mixture, sample_config, seed, rank, tally.config.in_a_row)
    pin = torch.cuda.is_available() if pin_memory is None else pin_memory
    return TrainingBatches(StepLoader(maker, first_step, None, workers, prefetch, pin), plan, tally)
