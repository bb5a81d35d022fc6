"""Steps as functions of the seed, the step and the number of processes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.plan import BatchPlan, PlanConfig


def test_sizes_and_frames_are_drawn_evenly_for_each_step() -> None:
    plan = BatchPlan(PlanConfig(), seed=1, world_size=1)
    steps = [plan.step(step, 0) for step in range(4000)]
    frames = Counter(step.keyframes for step in steps)
    assert set(frames) == set(range(2, 9))
    # Six standard deviations.
    assert all(abs(count - 4000 / 7) < 6 * np.sqrt(4000 * 6 / 49) for count in frames.values())
    assert all(max(step.height, step.width) == 560 and not step.height % 14 and not step.width % 14 for step in steps)
    # Width over height is even in 0.5..2: a third of the pictures are upright.
    upright = sum(step.height > step.width for step in steps) / 4000
    assert abs(upright - 1 / 3) < 0.06
    assert {min(step.height, step.width) for step in steps} == set(range(280, 561, 14))
    assert all(len(step.sample_numbers) == max(8 // step.keyframes, 1) for step in steps)


def test_processes_agree_on_all_but_their_samples() -> None:
    plans = [BatchPlan(PlanConfig(frames_per_gpu=10), seed=3, world_size=4) for _ in range(4)]
    seen: list[int] = []
    for step in (*range(50), 700, 20_000):
        told = [plan.step(step, rank) for rank, plan in enumerate(plans)]
        assert len({(one.keyframes, one.height, one.width, len(one.sample_numbers)) for one in told}) == 1
        numbers = [number for one in told for number in one.sample_numbers]
        start = plans[0].samples_before(step)
        assert numbers == list(range(start, plans[0].samples_before(step + 1)))
        assert {plans[2].step_of(number) for number in numbers} == {step}
        seen += numbers if step < 50 else []
    assert seen == list(range(len(seen)))


def test_a_step_needs_none_before_it() -> None:
    plans = [BatchPlan(PlanConfig(), seed=3, world_size=2) for _ in range(2)]
    walked = [plans[0].step(step, 1) for step in range(100)]
    assert plans[1].step(99, 1) == walked[99]
    other = [BatchPlan(PlanConfig(), seed=4, world_size=2).step(step, 1) for step in range(100)]
    assert [step.keyframes for step in other] != [step.keyframes for step in walked]


def test_another_number_of_processes_goes_on_where_samples_were() -> None:
    config = PlanConfig(keyframes=(2, 4), frames_per_gpu=4)
    first = BatchPlan(config, 0, world_size=4)
    then = BatchPlan(config, 0, 2, first_step=10, history=first.history_at(10))
    assert then.samples_before(10) == first.samples_before(10)
    assert then.step(10, 0).sample_numbers[0] == first.samples_before(10)
    assert (
        then.samples_before(30) - then.samples_before(10) == (first.samples_before(30) - first.samples_before(10)) // 2
    )
    assert then.step(15, 1).keyframes == first.step(15, 1).keyframes
    assert then.history_at(20) == [[0, 4], [10, 2]]
    # From a checkpoint before the change, and from one after it.
    back = BatchPlan(config, 0, 2, first_step=20, history=then.history_at(20))
    assert [back.step(step, 1) for step in range(20, 25)] == [then.step(step, 1) for step in range(20, 25)]
    assert BatchPlan(config, 0, 4, 10, first.history_at(10)).history_at(99) == [[0, 4]]
    with pytest.raises(SettingsError, match="process 2 does not exist among 2"):
        then.step(12, 2)


def test_a_fixed_aspect_is_kept() -> None:
    config = PlanConfig(keyframes=(3, 3), longest_side=98, aspect=(98 / 56, 98 / 56), frames_per_gpu=1)
    steps = [BatchPlan(config, 0, 1).step(step, 0) for step in range(9)]
    assert {(step.keyframes, step.height, step.width, len(step.sample_numbers)) for step in steps} == {(3, 56, 98, 1)}
    assert config.size(1.0) == (98, 98)
    assert config.size(1 / 50) == (98, 14)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"keyframes": (1, 4)}, "keyframes"),
        ({"keyframes": (5, 4)}, "keyframes"),
        ({"frames_per_gpu": 0}, "frames-per-gpu"),
        ({"aspect": (2.0, 0.5)}, "aspect"),
        ({"aspect": (0.0, 0.5)}, "aspect"),
        ({"longest_side": 100}, "multiple of 14"),
    ],
)
def test_settings_out_of_range_are_told(settings: dict, what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        BatchPlan(PlanConfig(**settings), 0, 1)
