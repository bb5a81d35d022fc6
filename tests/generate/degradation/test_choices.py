"""What is drawn at random: reproducible, inside its ranges, as often as it says."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.degradation.choices import Choices, draw_choices
from neoverse_ns.generate.degradation.settings import DegradationSettings

DRAWS = 2000


def many(settings: DegradationSettings, seed: int = 0, count: int = DRAWS) -> list[Choices]:
    generator = torch.Generator().manual_seed(seed)
    return [draw_choices(settings, generator) for _ in range(count)]


@pytest.fixture(scope="module")
def drawn() -> list[Choices]:
    return many(DegradationSettings(rotation=2.0))


def bounds(probability: float) -> tuple[float, float]:
    """Within which a share of successes lies in all but one of some 15 million series."""
    spread = 5.3 * math.sqrt(probability * (1 - probability) / DRAWS)
    return probability - spread, probability + spread


def test_a_seed_gives_the_same_choices_and_another_one_others(drawn: list[Choices]) -> None:
    assert many(DegradationSettings(rotation=2.0), count=50) == drawn[:50]
    assert many(DegradationSettings(rotation=2.0), seed=1, count=1)[0] != drawn[0]


def test_every_choice_lies_in_its_range_and_reaches_its_ends(drawn: list[Choices]) -> None:
    distances = [choice.distance for choice in drawn]
    assert 0.01 <= min(distances) < 0.0105
    assert 0.0995 < max(distances) <= 0.1
    colours = [choice.colour_distance for choice in drawn]
    assert 50 <= min(colours) < 50.5
    assert 99.5 < max(colours) <= 100
    turns = [math.degrees(math.hypot(*choice.rotation)) for choice in drawn]
    assert max(turns) <= 2.0 + 1e-9
    assert max(turns) > 1.9
    kernels = Counter(choice.kernel for choice in drawn if choice.kernel is not None)
    # 11 is drawn as itself alone, 13 to 51 also for the even number before them.
    assert sorted(kernels) == list(range(11, 52, 2))
    assert kernels[11] < 0.8 * kernels[31]


def test_probabilities_are_kept(drawn: list[Choices]) -> None:
    counted = {
        0.3: sum(choice.kernel is None for choice in drawn),
        0.1: sum(choice.drops.prompt for choice in drawn),
        0.2: sum(choice.drops.mask for choice in drawn),
        0.05: sum(choice.drops.conditions for choice in drawn),
    }
    for probability, count in counted.items():
        low, high = bounds(probability)
        assert low < count / DRAWS < high, probability
    low, high = bounds(0.5)
    assert low < sum(choice.side == "left" for choice in drawn) / DRAWS < high


def test_the_side_does_not_decide_anything_else(drawn: list[Choices]) -> None:
    left = [choice for choice in drawn if choice.side == "left"]
    low, high = bounds(0.5 * 0.3)
    assert low < sum(choice.kernel is None for choice in left) / DRAWS < high
    assert sum(choice.distance for choice in left) / len(left) == pytest.approx(0.055, abs=0.004)


def test_drops_are_independent_of_each_other(drawn: list[Choices]) -> None:
    low, high = bounds(0.1 * 0.2)
    assert low < sum(choice.drops.prompt and choice.drops.mask for choice in drawn) / DRAWS < high


def test_certainties_are_certain() -> None:
    never = DegradationSettings(cull_only=0.0, drop_prompt=0.0, drop_mask=0.0, drop_conditions=0.0)
    always = DegradationSettings(cull_only=1.0, drop_prompt=1.0, drop_mask=1.0, drop_conditions=1.0)
    assert not any(
        c.kernel is None or c.drops.prompt or c.drops.mask or c.drops.conditions for c in many(never, count=50)
    )
    assert all(
        c.kernel is None and c.drops.prompt and c.drops.mask and c.drops.conditions for c in many(always, count=50)
    )


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (DegradationSettings(distance=(0.1, 0.01)), "distance"),
        (DegradationSettings(kernel=(1, 5)), "kernel"),
        (DegradationSettings(colour_distance=(50.0, math.nan)), "colour_distance"),
        (DegradationSettings(rotation=-1.0), "rotation"),
        (DegradationSettings(drop_mask=1.2), "drop_mask"),
    ],
)
def test_ranges_that_are_none_are_refused(settings: DegradationSettings, name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        draw_choices(settings, torch.Generator())
