"""Whole training pairs: masks, drops and seeds."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.degradation.choices import Choices, Drops
from neoverse_ns.generate.degradation.colour import colour_distance
from neoverse_ns.generate.degradation.geometry import degrade
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.degradation.simulate import TrainingPair, pair_of, simulate, without
from neoverse_ns.generate.source_scene import SourceScene
from tests.generate.layered import layered_source

SOURCE = layered_source(count=5, step=(0.0, 0.0, 0.01))
KEYFRAMES = torch.tensor([0, 2, 4])
ASIDE = Choices(side="right", distance=0.1)
ALL_KEPT = DegradationSettings(drop_prompt=0.0, drop_mask=0.0, drop_conditions=0.0)


def pair(choices: Choices = ASIDE, frames: list[int] | None = None, source: SourceScene = SOURCE) -> TrainingPair:
    return pair_of(source, degrade(source, choices), choices, DegradationSettings(), frames)


@pytest.fixture(scope="module")
def plain() -> TrainingPair:
    return pair()


def test_the_target_is_the_clip_and_conditions_are_its_cameras(plain: TrainingPair) -> None:
    assert torch.equal(plain.target, SOURCE.frames.float() / 255)
    assert plain.frames == [0, 1, 2, 3, 4]
    assert torch.equal(plain.conditions.c2w, SOURCE.cameras.c2w)
    assert torch.equal(plain.conditions.times, SOURCE.times)


def test_the_mask_is_false_in_holes_and_on_frames_without_gaussians(plain: TrainingPair) -> None:
    conditions = plain.conditions
    assert not conditions.mask[[1, 3]].any()
    expected = conditions.alpha[KEYFRAMES] > 0.5
    assert 0.02 < (~expected).float().mean() < 0.5
    assert not conditions.mask[KEYFRAMES][~expected].any()
    # Where the scene is opaque its colours are the clip's own, but for blending at the square's edge.
    assert conditions.mask[KEYFRAMES][conditions.alpha[KEYFRAMES] > 0.95].float().mean() > 0.97


def test_the_mask_is_false_exactly_where_colours_differ_too_much(plain: TrainingPair) -> None:
    frames = SOURCE.frames.clone()
    frames[:, :, :16] = 255 - frames[:, :, :16] // 4
    wrong = pair(source=dataclasses.replace(SOURCE, frames=frames))
    assert torch.equal(wrong.conditions.rgb, plain.conditions.rgb)
    distance = colour_distance(wrong.conditions.rgb, frames.float() / 255)
    expected = (wrong.conditions.alpha > 0.5) & (distance < ASIDE.colour_distance)
    expected[[1, 3]] = False
    assert torch.equal(wrong.conditions.mask, expected)
    assert not wrong.conditions.mask[:, :, :16].any()
    assert torch.equal(wrong.conditions.mask[:, :, 16:], plain.conditions.mask[:, :, 16:])
    assert plain.conditions.mask[:, :, :16].any()
    lenient = pair(dataclasses.replace(ASIDE, colour_distance=765.0), source=dataclasses.replace(SOURCE, frames=frames))
    assert lenient.conditions.mask[:, :, :16].any()


def test_some_frames_are_drawn_as_they_are_among_all(plain: TrainingPair) -> None:
    some = pair(frames=[3, 2])
    assert some.frames == [3, 2]
    for name, value in some.conditions.tensors().items():
        assert torch.equal(value, plain.conditions.tensors()[name][[3, 2]]), name
    assert torch.equal(some.target, plain.target[[3, 2]])


def test_seeds_reproduce_pairs_and_differ_from_each_other() -> None:
    first, again, other = (
        simulate(SOURCE, torch.Generator().manual_seed(seed), ALL_KEPT, frames=[0, 1]) for seed in (3, 3, 4)
    )
    assert first.choices == again.choices
    for name, value in first.conditions.tensors().items():
        assert torch.equal(value, again.conditions.tensors()[name]), name
    assert not torch.equal(first.conditions.rgb, other.conditions.rgb)


def blank(conditions: Conditions) -> set[str]:
    return {name for name in ("rgb", "depth", "alpha", "mask", "plucker") if not getattr(conditions, name).any()}


@pytest.mark.parametrize(
    ("drops", "wanted"),
    [
        (Drops(), set()),
        (Drops(prompt=True), set()),
        (Drops(mask=True), {"mask"}),
        (Drops(conditions=True), {"rgb", "depth", "alpha", "mask", "plucker"}),
    ],
)
def test_what_is_dropped_is_blank_and_nothing_else(plain: TrainingPair, drops: Drops, wanted: set[str]) -> None:
    choices = dataclasses.replace(ASIDE, drops=drops)
    left = without(plain.conditions, choices)
    assert blank(left) == wanted
    assert torch.equal(left.c2w, plain.conditions.c2w)
    assert dataclasses.replace(plain, choices=choices).prompt("a dog") == ("" if drops.prompt else "a dog")


def test_drops_reach_the_pair() -> None:
    always = DegradationSettings(drop_mask=1.0, drop_conditions=0.0, drop_prompt=1.0)
    dropped = simulate(SOURCE, torch.Generator().manual_seed(0), always, frames=[0])
    assert blank(dropped.conditions) == {"mask"}
    assert dropped.prompt("a dog") == ""


def test_without_degradation_pairs_show_the_scene_as_it_is() -> None:
    settings = dataclasses.replace(ALL_KEPT, enabled=False)
    found = simulate(SOURCE, torch.Generator().manual_seed(3), settings)
    expected = draw_conditions(SOURCE.gaussians, SOURCE.cameras, SOURCE.times, ConditionSettings())
    assert torch.equal(found.conditions.rgb, expected.rgb)
    assert torch.equal(found.conditions.depth, expected.depth)
    worn = simulate(SOURCE, torch.Generator().manual_seed(3), ALL_KEPT)
    assert worn.choices == found.choices
    assert not torch.equal(worn.conditions.rgb, expected.rgb)
