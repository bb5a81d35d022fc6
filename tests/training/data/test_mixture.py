"""Which clip a sample is of: exact shares, exact epochs, a curriculum, and others in the place of bad ones."""

from __future__ import annotations

from collections import Counter

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.mixture import BLOCK, CurriculumConfig, Mixture
from neoverse_ns.training.data.plan import BatchPlan, PlanConfig

SIZES, WEIGHTS = [5, 300, 41], [0.01, 2.0, 1.0]


def test_no_clip_comes_again_before_all_have_come() -> None:
    mixture = Mixture(SIZES, WEIGHTS, seed=2)
    chosen = [mixture.choose(number) for number in range(12 * BLOCK)]
    for source, size in enumerate(SIZES):
        mine = [one for one in chosen if one.source == source]
        assert [one.epoch for one in mine] == sorted(one.epoch for one in mine)
        epochs = Counter(one.epoch for one in mine)
        assert list(range(len(epochs))) == sorted(epochs)
        for epoch, count in epochs.items():
            clips = [one.row for one in mine if one.epoch == epoch]
            assert len(set(clips)) == len(clips) == count
            assert set(clips) == set(range(size)) or epoch == max(epochs)
    # Another order each time.
    orders = [[one.row for one in chosen if one.source == 2 and one.epoch == epoch] for epoch in (0, 1)]
    assert orders[0] != orders[1]


def test_shares_are_kept_to_one_clip() -> None:
    mixture = Mixture(SIZES, WEIGHTS, seed=2)
    counts: Counter[int] = Counter()
    for number in range(16 * BLOCK):
        counts[mixture.choose(number).source] += 1
        if (number + 1) % BLOCK == 0:
            for source, weight in enumerate(WEIGHTS):
                assert abs(counts[source] - (number + 1) * weight / sum(WEIGHTS)) < 1
    # One in three hundred is due less than once a block, and is not forgotten.
    assert counts[0] == pytest.approx(16 * BLOCK * 0.01 / 3.01, abs=1)


def test_any_sample_is_found_without_those_before_it() -> None:
    numbers = [7000, 3, 1234, 999]
    fresh = [Mixture(SIZES, WEIGHTS, seed=9).choose(number) for number in numbers]
    one = Mixture(SIZES, WEIGHTS, seed=9)
    assert [one.choose(number) for number in numbers] == fresh
    assert [Mixture(SIZES, WEIGHTS, seed=8).choose(number) for number in numbers] != fresh


def test_what_takes_a_bad_clips_place_is_of_the_same_source_and_leaves_the_others_alone() -> None:
    mixture = Mixture(SIZES, WEIGHTS, seed=2)
    for attempt in (1, 2):
        pairs = [(mixture.choose(number), mixture.choose(number, attempt)) for number in range(2 * BLOCK)]
        assert all(one.source == other.source and one.epoch == other.epoch for one, other in pairs)
        # An order of its own: it is a permutation too.
        others = [other.row for _, other in pairs if other.source == 1 and other.epoch == 0]
        assert len(set(others)) == len(others)
        assert sum(one.row == other.row for one, other in pairs if one.source == 1) < 10
    assert mixture.choose(5, 1) != mixture.choose(5, 2)


def test_a_curriculum_begins_with_what_is_static() -> None:
    # One sample a step: steps and samples are the same.
    plan = BatchPlan(PlanConfig(keyframes=(2, 2), frames_per_gpu=2), 0, 1)
    curriculum = CurriculumConfig(static_until=4 * BLOCK, mixed_from=12 * BLOCK)
    sizes, weights, static = [100, 50, 80], [1.0, 1.0, 2.0], [True, False, False]
    mixture = Mixture(sizes, weights, 0, static, curriculum, plan.step_of)
    shares = []
    for block in range(16):
        found = Counter(mixture.choose(block * BLOCK + slot).source for slot in range(BLOCK))
        shares.append(found[0] / BLOCK)
        assert found[2] == pytest.approx(2 * found[1], abs=4)
    assert shares[:4] == [1.0] * 4
    expected = [1 - 0.75 * block / 8 for block in range(8)]
    assert shares[4:12] == pytest.approx(expected, abs=2 / BLOCK)
    assert shares[12:] == pytest.approx([0.25] * 4, abs=2 / BLOCK)
    # Every clip still comes once an epoch.
    rows = [one.row for one in map(mixture.choose, range(10 * BLOCK)) if one.source == 2 and one.epoch == 0]
    assert sorted(rows) == list(range(80))


def test_no_curriculum_is_the_mixture_of_the_weights() -> None:
    plain = Mixture(SIZES, WEIGHTS, 1)
    off = Mixture(SIZES, WEIGHTS, 1, [True, False, False], CurriculumConfig())
    assert [plain.choose(n) for n in range(600)] == [off.choose(n) for n in range(600)]
    assert plain.weights_at(10**6) == pytest.approx([0.01 / 3.01, 2 / 3.01, 1 / 3.01])


def test_what_makes_no_mixture_is_told() -> None:
    for sizes, weights in (([], []), ([0], [1.0]), ([3], [0.0]), ([3, 3], [1.0, -1.0])):
        with pytest.raises(SettingsError, match="no clips to train on"):
            Mixture(sizes, weights, 0)
    with pytest.raises(SettingsError, match="static clips"):
        Mixture([3], [1.0], 0, [False], CurriculumConfig(1, 2), lambda sample: sample)
    with pytest.raises(SettingsError, match="not after"):
        Mixture([3], [1.0], 0, [True], CurriculumConfig(3, 2), lambda sample: sample)


def test_ten_thousand_steps_of_many_processes_repeat_nothing_within_an_epoch() -> None:
    plan = BatchPlan(PlanConfig(), seed=5, world_size=32)
    mixture = Mixture([250_000, 40_000], [3.0, 1.0], seed=5)
    places = [plan.samples_before(step) for step in range(10_001)]
    assert places[-1] > 500_000
    seen: set[tuple[int, int, int]] = set()
    # Every process of every hundredth step; all samples of a step differ, and none was there before.
    count = 0
    for step in range(0, 10_000, 100):
        numbers = [number for rank in (0, 13, 31) for number in plan.step(step, rank).sample_numbers]
        for number in numbers:
            one = mixture.choose(number)
            seen.add((one.source, one.row, one.epoch))
            count += 1
    assert len(seen) == count
