"""Paths in depth against the truth they were made from, and against an independent minimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neoverse_ns.reconstruct.bundle.motion.depth_paths import settle_depths
from neoverse_ns.reconstruct.bundle.motion.sightings import Sighting
from neoverse_ns.reconstruct.bundle.motion.size_changes import Link, Order

TRUTH = np.log([4.0, 3.7, 3.5, 3.2, 3.0, 2.75, 2.5])
COUNT = len(TRUTH)
TIMES = np.arange(COUNT) / 4.0


def _sighting(thing: int, ground: float, **more: float) -> Sighting:
    values = {"middle": ground, "ground": ground, "ground_error": 0.3, "path": 0.0, "path_certainty": 0.0}
    return Sighting(thing, **{**values, "farthest": math.inf, "known": 1.0, **more}, stands=True)


def _one(grounds: np.ndarray, **more: float) -> list[list[Sighting]]:
    return [[_sighting(1, float(ground), **more)] for ground in grounds]


def _seen(things: int, count: int = COUNT) -> np.ndarray:
    present = np.ones((things + 1, count), bool)
    present[0] = False
    return present


def _links(thing: int, truth: np.ndarray = TRUTH) -> list[Link]:
    return [Link(thing, n, n + 1, float(truth[n] - truth[n + 1])) for n in range(len(truth) - 1)]


KIN = np.zeros(2, int)


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("wrong", [{0: 0.8}, {3: 0.9}, {2: -0.7, 4: 0.6}])
def test_keyframes_that_are_wrong_do_not_survive(linked: bool, wrong: dict[int, float]) -> None:
    grounds = TRUTH.copy()
    for place, error in wrong.items():
        grounds[place] += error
    paths = settle_depths(_one(grounds), _links(1) if linked else [], [], _seen(1), KIN, TIMES)
    assert np.abs(paths[1] - TRUTH).max() < (0.04 if linked else 0.12)


def test_lifted_feet_pull_less_than_those_on_the_ground() -> None:
    grounds = TRUTH.copy()
    grounds[::2] += 0.3
    paths = settle_depths(_one(grounds), [], [], _seen(1), KIN, TIMES)
    assert np.abs(paths[1] - TRUTH).max() < 0.1


def test_a_sure_path_outweighs_where_a_flying_thing_seems_to_stand() -> None:
    sightings = [[_sighting(1, value + 0.7, path=value, path_certainty=80.0)] for value in TRUTH]
    paths = settle_depths(sightings, _links(1), [], _seen(1), KIN, TIMES)
    assert np.abs(paths[1] - TRUTH).max() < 0.1


def test_what_is_seen_lies_before_what_it_hides() -> None:
    near = settle_depths(_one(TRUTH + 0.5, farthest=2.0), [], [], _seen(1), KIN, TIMES)[1]
    bound = settle_depths(_one(TRUTH + 0.5, farthest=0.9), _links(1), [], _seen(1), KIN, TIMES)[1]
    assert np.abs(near - TRUTH - 0.5).max() < 0.1
    assert (bound[:3] < TRUTH[:3] + 0.2).all()


def test_who_hides_another_lies_before_it() -> None:
    level = np.full(COUNT, 1.0)
    sightings = [[_sighting(1, 1.1), _sighting(2, 1.0)] for _ in range(COUNT)]
    free = settle_depths(sightings, [], [], _seen(2), np.zeros(3, int), TIMES)
    assert free[1] == pytest.approx(level + 0.1, abs=0.01)
    orders = [Order(place, front=1, back=2) for place in range(COUNT)]
    held = settle_depths(sightings, [], orders, _seen(2), np.zeros(3, int), TIMES)
    assert (held[1] < held[2]).all()


def test_a_piece_of_which_nothing_is_known_stays_with_its_thing() -> None:
    hidden = {"middle": 2.5, "ground_error": math.inf}
    sightings = [[_sighting(1, float(v)), _sighting(2, math.nan, **hidden)] for v in TRUTH]
    paths = settle_depths(sightings, [], [], _seen(2), np.array([0, 0, 1]), TIMES)
    assert np.abs(paths[2] - paths[1]).max() < 0.15


def test_keyframes_in_which_a_thing_is_missed_are_bridged() -> None:
    present = _seen(1)
    present[1, 3] = False
    sightings = _one(TRUTH)
    sightings[3] = []
    links = [link for link in _links(1) if 3 not in (link.first, link.second)]
    links.append(Link(1, 2, 4, float(TRUTH[2] - TRUTH[4])))
    paths = settle_depths(sightings, links, [], present, KIN, TIMES)
    assert np.abs(paths[1] - TRUTH).max() < 0.05


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_keyframes_are_enough(count: int) -> None:
    paths = settle_depths(_one(TRUTH[:count]), _links(1, TRUTH[:count]), [], _seen(1, count), KIN, TIMES[:count])
    assert paths[1] == pytest.approx(TRUTH[:count], abs=0.01)


def test_long_clips_are_settled_as_well_as_short_ones() -> None:
    count = 400
    truth = 1 + 0.4 * np.sin(np.arange(count) / 15)
    random = np.random.default_rng(0)
    # Masks end a little too high or too low; now and then a foot is lifted, missed, or on a shadow.
    grounds = truth + 0.04 * random.normal(size=count)
    grounds += np.where(random.random(count) < 0.4, 0.15 * np.abs(random.standard_t(2, count)), 0.0)
    grounds -= np.where(random.random(count) < 0.05, 0.3, 0.0)
    links = _links(1, truth + 0.005 * random.normal(size=count))
    paths = settle_depths(_one(grounds), links, [], _seen(1, count), KIN, np.arange(count) * 0.25)
    assert np.abs(paths[1] - truth).mean() < 0.05
