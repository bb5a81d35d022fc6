"""Which clip is learned from when, and where in it: pure functions of the seed and a position in the run."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from neoverse_ns.clip.wear.draw import WearDraw, draw_wear
from neoverse_ns.generate.refiners.wan.config import FRAMES_PER_LATENT
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.data.draws import generator_of
from neoverse_ns.training.data.permutation import Permutation

_ORDER, _REPLACEMENT, _VISIT, _PAIR, _WEAR = range(5)
"""Kinds of draws, so that none repeats another's."""


@dataclass(frozen=True)
class Visit:
    """A clip at a moment of the run.

    Attributes:
        position: Number of the visit among those of all processes.
        attempt: How many clips that could not be used it replaces.
        clip: Number of the clip.
        offset: Which share of what the clip leaves over lies before its first frame, in [0, 1).
        keyframes: Frames that carry Gaussians; None leaves it to the reconstructor.
    """

    position: int
    attempt: int
    clip: int
    offset: float
    keyframes: int | None


def visit_at(config: ControlTrainingConfig, clips: int, position: int, attempt: int = 0) -> Visit:
    """What is drawn for a position, whatever was visited before.

    Every clip comes once before any comes again. One that cannot be used is replaced by the next of another order.

    Args:
        config: Seed and ranges.
        clips: How many there are.
        position: Number of the visit among those of all processes.
        attempt: 0, and one more for every clip there that could not be used.
    """
    epoch, place = divmod(position, clips)
    if attempt == 0:
        clip = Permutation(clips, config.seed, _ORDER, epoch)(place)
    else:
        clip = Permutation(clips, config.seed, _REPLACEMENT, position)((attempt - 1) % clips)
    generator = generator_of(config.seed, _VISIT, position, attempt)
    keyframes = context_frames(config, generator)
    offset = float(torch.rand((), generator=generator, dtype=torch.float64))
    return Visit(position, attempt, clip, offset, keyframes)


def pair_generator(config: ControlTrainingConfig, step: int, part: int, rank: int) -> torch.Generator:
    """What all of a pair is drawn from but its clip: a function of where training stands.

    Args:
        config: With the seed.
        step: Optimiser steps done.
        part: Number of the pair within the step of this process.
        rank: Of the process.
    """
    return generator_of(config.seed, _PAIR, step, part, rank)


def wear_of(config: ControlTrainingConfig, visit: Visit) -> WearDraw:
    """How the frames of a visit are worn before its scene is made of them."""
    return draw_wear(config.wear, generator_of(config.seed, _WEAR, visit.position, visit.attempt))


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
