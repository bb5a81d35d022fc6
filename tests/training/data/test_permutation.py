"""Draws without state, and orders without memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.draws import generator_of, mixed, mixed_each, number_of, uniform_each
from neoverse_ns.training.data.permutation import Permutation


def test_draws_are_those_of_splitmix64() -> None:
    # The first numbers of the published generator, seeded with 0 and with 1234567.
    assert mixed(0) == 0xE220A8397B1DCDAF
    assert mixed(1234567) == 6457827717110365317
    assert number_of("own") == number_of("own") != number_of("Own")


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5))
def test_draws_of_many_are_those_of_each(seed: int, numbers: list[int]) -> None:
    many = mixed_each(mixed(seed), np.array(numbers, dtype=np.uint64))
    assert many.tolist() == [mixed(seed, number) for number in numbers]


def test_draws_are_even() -> None:
    drawn = uniform_each(mixed(3), np.arange(100_000, dtype=np.uint64))
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0]
    # 19 degrees of freedom: above 43.8 once in a thousand seeds.
    assert ((counts - 5000) ** 2 / 5000).sum() < 43.8
    assert generator_of(1, 2).initial_seed() != generator_of(2, 1).initial_seed()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3000), st.integers(0, 2**32))
def test_every_number_comes_once(size: int, seed: int) -> None:
    order = Permutation(size, seed)
    assert sorted(order.many(np.arange(size)).tolist()) == list(range(size))
    assert order(size - 1) == int(order.many(np.array([size - 1]))[0])


@pytest.mark.parametrize("size", [2, 3, 6])
def test_orders_of_few_are_all_about_as_frequent(size: int) -> None:
    # All places of all numbers, over seeds; the largest of 36 counts lies within five deviations.
    seeds = 400
    table = np.zeros((size, size))
    for seed in range(seeds):
        table[np.arange(size), Permutation(size, seed, 7).many(np.arange(size))] += 1
    deviation = np.sqrt(seeds / size * (1 - 1 / size))
    assert np.abs(table - seeds / size).max() < 5 * deviation


def test_neighbours_are_strangers() -> None:
    order = Permutation(100_000, 5).many(np.arange(100_000)).astype(float)
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.02
    other = Permutation(100_000, 6).many(np.arange(100_000)).astype(float)
    assert abs(np.corrcoef(order, other)[0, 1]) < 0.02


def test_a_place_outside_is_told() -> None:
    order = Permutation(10, 0)
    for place in (-1, 10):
        with pytest.raises(IndexError, match="order of 10"):
            order(place)
    with pytest.raises(SettingsError, match="order of 0"):
        Permutation(0, 0)
