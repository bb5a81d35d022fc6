"""Training pairs, made while training: each step picks a clip, a stretch of it, and a way to degrade its scene."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import torch

from neoverse_ns.console import warn
from neoverse_ns.errors import ClipError, ReconstructionError, RefinementError
from neoverse_ns.generate.degradation.simulate import TrainingPair, simulate
from neoverse_ns.generate.refiners.wan.config import FRAMES_PER_LATENT
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.reconstruct.cache import cached_scene
from neoverse_ns.reconstruct.scene import build_scene
from neoverse_ns.training.control.clips import TrainingClip
from neoverse_ns.training.control.config import ControlTrainingConfig

SCENES_HELD = 4
"""Scenes kept on the device; the rest is read from the cache again."""


@dataclass(frozen=True)
class Draw:
    """What one step trains on.

    Attributes:
        clip: Which clip.
        prompt: Its words, or nothing where they are dropped.
        pair: Degraded conditions and the true frames.
        unit: Length of the scene's unit in that of the control branch.
    """

    clip: TrainingClip
    prompt: str
    pair: TrainingPair
    unit: float = 1.0


class PairStream:
    """Draws pairs. A clip that cannot be reconstructed is left out, with a warning."""

    def __init__(self, clips: list[TrainingClip], config: ControlTrainingConfig, device: torch.device) -> None:
        """Take the clips.

        Args:
            clips: At least one.
            config: How scenes are reconstructed and degraded.
            device: Where Gaussians are held and drawn.
        """
        self._clips, self._config, self._device = list(clips), config, device
        self._unusable: set[TrainingClip] = set()
        self._held: OrderedDict[tuple[TrainingClip, int | None], SourceScene] = OrderedDict()

    def draw(self, generator: torch.Generator) -> Draw:
        """One pair; everything random is taken from `generator`, which is on the CPU.

        Raises:
            ClipError: No clip can be used.
        """
        while len(self._unusable) < len(self._clips):
            # Unusable clips stay in the list: what is drawn must not depend on which ones were met before a resume.
            clip = self._clips[int(torch.randint(len(self._clips), (), generator=generator))]
            if clip in self._unusable:
                continue
            keyframes = context_frames(self._config, generator)
            offset = clip_offset(self._config, generator)
            try:
                source = self._held_source(clip, keyframes) if offset is None else self._source(clip, keyframes, offset)
            except (ClipError, ReconstructionError, RefinementError) as error:
                warn(f"left out {clip.path.name}: {error}")
                self._unusable.add(clip)
                continue
            frames = stretch(len(source), self._config.frames, generator)
            pair = simulate(source, generator, self._config.degradation, frames)
            unit = self._config.wan.unit or source.unit or 1.0
            return Draw(clip, pair.prompt(clip.caption or self._config.prompt), pair, unit)
        raise ClipError("none of the clips can be used: see the warnings above")

    def _held_source(self, clip: TrainingClip, keyframes: int | None) -> SourceScene:
        """A clip's scene from its first frame on, from the cache, the last few from memory."""
        key = clip, keyframes
        if key not in self._held:
            self._held[key] = self._source(clip, keyframes)
            while len(self._held) > SCENES_HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return self._held[key]

    def _source(self, clip: TrainingClip, keyframes: int | None, offset: float | None = None) -> SourceScene:
        config = replace(self._config.scene, num_keyframes=keyframes)
        if offset is None:
            scene = cached_scene(clip.path, config, self._device.type)
        else:
            config = replace(config, clip=replace(config.clip, spacing_offset=offset))
            scene = build_scene(clip.path, config, self._device.type)
        if scene.gaussians is None:
            raise RefinementError("its scene holds no Gaussians: empty the cache")
        return SourceScene.of(scene, scene.gaussians.to(self._device))


def clip_offset(config: ControlTrainingConfig, generator: torch.Generator) -> float | None:
    """Where in a clip this visit begins, as a share of what is left over; None at its first frame."""
    if not config.random_start or config.scene.clip.spacing is None:
        return None
    return float(torch.rand((), generator=generator, dtype=torch.float64))


def context_frames(config: ControlTrainingConfig, generator: torch.Generator) -> int | None:
    """How many frames of a clip this visit's scene is made of; None leaves it to the reconstructor."""
    if config.context is None or config.scene.num_keyframes is not None:
        return config.scene.num_keyframes
    fewest, most = config.context
    return int(torch.randint(fewest, most + 1, (), generator=generator))


def stretch(available: int, wanted: int, generator: torch.Generator) -> list[int]:
    """Neighbouring frames, 4k + 1 of them and at most `wanted`, beginning at random."""
    most = min(available, wanted)
    count = most - (most - 1) % FRAMES_PER_LATENT
    begin = int(torch.randint(available - count + 1, (), generator=generator))
    return list(range(begin, begin + count))
