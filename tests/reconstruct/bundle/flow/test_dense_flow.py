"""Flow, its confidence and which pairs it is measured between."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neoverse_ns.reconstruct.bundle.flow.dense_flow import (
    compose,
    measure_flow,
    round_trip_confidence,
    texture_confidence,
)
from neoverse_ns.reconstruct.bundle.flow.frame_pairs import pair_graph
from neoverse_ns.reconstruct.split import split_frames


def _pattern(shift: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    big = cv2.GaussianBlur(rng.uniform(0, 255, (96, 160)).astype(np.float32), (0, 0), 2.0)
    big = (big - big.min()) / (big.max() - big.min()) * 255
    move = np.array([[1, 0, shift], [0, 1, 0]], np.float32)
    return cv2.warpAffine(big, move, (160, 96), flags=cv2.INTER_CUBIC).astype(np.uint8)


def test_measures_a_shift_and_trusts_it():
    gray = [_pattern(s) for s in (0, 2.5, 5.0)]
    field = measure_flow(gray, {(0, 1): None, (1, 2): None, (0, 2): 1}, noise=1.5)
    inner = np.s_[20:-20, 30:-30]
    for (i, j), flow in field.flow.items():
        assert np.median(flow[inner][..., 0]) == pytest.approx(2.5 * (j - i), abs=0.1)
        assert np.median(np.abs(flow[inner][..., 1])) < 0.1
        assert np.median(field.confidence[i, j][inner]) > 0.8
    assert field.pairs == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]


def test_does_not_depend_on_the_number_of_threads():
    gray = [_pattern(s) for s in (0, 2.5, 5.0)]
    middles = {(0, 1): None, (1, 2): None, (0, 2): 1}
    before = cv2.getNumThreads()
    results = []
    try:
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            results.append(measure_flow(gray, middles, noise=1.5))
            assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(before)
    for other in results[1:]:
        for pair in results[0].pairs:
            np.testing.assert_array_equal(results[0].flow[pair], other.flow[pair])
            np.testing.assert_array_equal(results[0].confidence[pair], other.confidence[pair])


def test_composition_of_two_linear_flows():
    y, x = np.mgrid[:40, :50].astype(np.float32)
    first = np.stack([0.1 * x + 1, 0.05 * y - 0.5], -1)
    second = np.stack([0.02 * x - 1, 0.1 * y + 1], -1)
    u, v = x + first[..., 0], y + first[..., 1]
    expected = np.stack([first[..., 0] + 0.02 * u - 1, first[..., 1] + 0.1 * v + 1], -1)
    inside = (u <= 49) & (v >= 0) & (v <= 39)
    np.testing.assert_allclose(compose(first, second)[inside], expected[inside], atol=2e-3)


def test_round_trip_confidence_is_the_closed_form():
    forward = np.full((10, 20, 2), (3.0, 0.0), np.float32)
    backward = np.full((10, 20, 2), (-2.0, 0.0), np.float32)
    confidence = round_trip_confidence(forward, backward, noise=1.5)
    np.testing.assert_allclose(confidence[:, :17], np.exp(-((1 / 1.5) ** 2)), rtol=1e-5)
    assert (confidence[:, 17:] == 0).all()


def test_plain_surfaces_are_not_trusted():
    image = np.full((40, 80), 120, np.uint8)
    image[:, 40:] = _pattern(0)[:40, :40]
    texture = texture_confidence(image)
    assert texture[:, :30].max() == 0
    assert texture[10:30, 50:70].mean() > 0.8


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (12, 400), (17, 400), (40, 470)])
def test_tiny_and_long_images_give_finite_flow(shape: tuple[int, int]):
    rng = np.random.default_rng(1)
    gray = [rng.integers(0, 255, shape).astype(np.uint8) for _ in range(2)]
    field = measure_flow(gray, {(0, 1): None}, noise=1.5)
    assert all(np.isfinite(v).all() for v in (*field.flow.values(), *field.confidence.values()))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 9).filter(lambda k: k != 1), st.integers(1, 40))
def test_training_pairs_never_touch_held_out_frames(count: int, every: int, keyframes: int):
    split = split_frames(count, keyframes, every)
    graph = pair_graph(split, (1, 2, 4))
    train = set(split.train)
    for (i, j), middle in graph.items():
        assert i < j
        if middle is not None:
            assert i < middle < j
            assert (i, middle) in graph
            assert (middle, j) in graph
            assert middle in train or not {i, j} <= train
    assert {(k, k + 1) for k in range(count - 1)} <= set(graph)
    assert set(zip(split.keyframes[:-1], split.keyframes[1:], strict=True)) <= set(graph)
