"""Training pairs, made while training: each step takes a clip, its scene, and a way to degrade that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import quietly
from neoverse_ns.errors import NeoVerseError, ReconstructionError, WeightsError
from neoverse_ns.generate.degradation.simulate import TrainingPair, simulate
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.loading import Loaded, VisitedClips, failed, visits
from neoverse_ns.training.control.scenes import SceneMaker
from neoverse_ns.training.control.sources import ClipSource
from neoverse_ns.training.control.visits import Visit, pair_generator, stretch
from neoverse_ns.training.data.tally import Tally, Try


@dataclass(frozen=True)
class Draw:
    """What one step trains on.

    Attributes:
        name: Of the clip.
        prompt: Its words, or nothing where they are dropped.
        pair: Degraded conditions and the true frames.
        unit: Length of the scene's unit in that of the control branch.
        generator: On the CPU; what is random beyond the pair is drawn from it.
    """

    name: str
    prompt: str
    pair: TrainingPair
    unit: float
    generator: torch.Generator


@dataclass(frozen=True)
class _Held:
    """The scene that pairs are drawn from."""

    visit: Visit
    scene: SourceScene


class PairStream:
    """Pairs of this process in their order, from any step on.

    Which clip is visited, where it begins and how it is degraded are functions of the seed, the step and the process
    alone; nothing but the scene at hand is kept. Clips that cannot be used are told to `tally` and replaced.

    Args:
        source: The clips.
        config: How scenes are visited and degraded.
        scenes: Makes them.
        tally: Told of every clip that is tried.
        first_step: Optimiser steps already done.
        rank: Of this process.
        processes: How many there are.
    """

    def __init__(
        self,
        source: ClipSource,
        config: ControlTrainingConfig,
        scenes: SceneMaker,
        tally: Tally,
        first_step: int = 0,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self._source, self._config, self._scenes, self._tally = source, config, scenes, tally
        self._rank = rank
        self._clips = VisitedClips(source, config, rank, processes)
        self._next = first_step * config.accumulate
        self._held: _Held | None = None
        self._loaded: Iterator[Loaded] | None = None

    def __iter__(self) -> Iterator[Draw]:
        return self

    def __next__(self) -> Draw:
        """The next pair.

        Raises:
            RunError: Too many clips cannot be used.
        """
        config, number = self._config, self._next
        step, part = divmod(number, config.accumulate)
        visit, later = divmod(number, config.pairs_per_scene)
        held = self._visited(visit, counted=not later)
        while True:
            generator = pair_generator(config, step, part, self._rank)
            try:
                draw = self._draw(held, generator)
                break
            except NeoVerseError as error:
                self._tally.note([failed(self._source, held.visit, error)])
                again = self._clips.load(held.visit.position, held.visit.attempt + 1)
                held = self._held = self._made(again, counted=True)
        if not later:
            self._tally.note([Try(held.visit.position, held.visit.attempt, self._source.name(held.visit.clip))])
        self._next += 1
        return draw

    def _draw(self, held: _Held, generator: torch.Generator) -> Draw:
        config, scene = self._config, held.scene
        frames = stretch(len(scene), config.frames, generator)
        pair = simulate(scene, generator, config.degradation, frames)
        words = self._source.caption(held.visit.clip) or config.prompt
        unit = config.wan.unit or scene.unit or 1.0
        return Draw(self._source.name(held.visit.clip), pair.prompt(words), pair, unit, generator)

    def _visited(self, number: int, counted: bool) -> _Held:
        """The scene of this process's visit of that number, the one at hand or the next.

        Args:
            number: Of the visit.
            counted: Tell the tally; not where a run goes on amid a visit, which was counted before.
        """
        if self._held is None or self._held.visit.position != self._clips.position(number):
            self._held = None  # Two scenes at once would not always fit.
            if self._loaded is None:
                self._loaded = visits(self._clips, number, self._config.workers)
            self._held = self._made(next(self._loaded), counted)
        return self._held

    def _made(self, loaded: Loaded, counted: bool) -> _Held:
        """The scene of a loaded clip, or of the first in its place that has one."""
        while True:
            tries, visit = list(loaded.tries), loaded.visit
            scene = None
            if loaded.clip is not None:
                try:
                    with quietly():
                        scene = self._scenes.scene(loaded.worn or loaded.clip, visit.keyframes)
                    if loaded.worn is not None:
                        scene = with_targets(scene, loaded.worn, loaded.clip)
                except WeightsError:
                    raise
                except NeoVerseError as error:
                    tries.append(failed(self._source, visit, error))
            if counted or loaded.clip is None:
                self._tally.note(tries)
            if scene is not None:
                return _Held(visit, scene)
            loaded = self._clips.load(visit.position, visit.attempt + 1)


def with_targets(scene: SourceScene, worn: Clip, clean: Clip) -> SourceScene:
    """A scene of worn frames that is to be drawn as the clean ones are.

    Raises:
        ReconstructionError: It was made of other frames than the worn ones, as where a lens was straightened.
    """
    if not torch.equal(scene.frames, worn.frames):
        raise ReconstructionError("worn frames were left out or straightened, so that the clean ones do not fit them")
    return replace(scene, frames=clean.frames)
