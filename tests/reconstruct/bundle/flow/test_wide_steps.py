"""Matches, flow led by them, and clips whose steps are too wide for flow alone."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, measure_flow, round_trip_confidence, searcher
from neoverse_ns.reconstruct.bundle.flow.feature_matches import (
    Matches,
    epipolar_distance,
    find_features,
    match_features,
    verified,
)
from neoverse_ns.reconstruct.bundle.flow.frame_pairs import pair_graph
from neoverse_ns.reconstruct.bundle.flow.guided_flow import guided_flow, spread_matches
from neoverse_ns.reconstruct.bundle.flow.wide_steps import mend_wide_steps
from neoverse_ns.reconstruct.split import split_frames

CONFIG = BundleConfig()
SIZE = (240, 160)


@cache
def _picture(seed: int) -> np.ndarray:
    """Rich texture at all scales, [480,640]."""
    rng = np.random.default_rng(seed)
    image = np.zeros((480, 640), np.float32)
    for size in (12, 40, 120, 240):
        image += cv2.resize(
            rng.uniform(0, 1, (size, size)).astype(np.float32), (640, 480), interpolation=cv2.INTER_CUBIC
        )
    return image / 4 * 255


def _view(seed: int, turn: float, scale: float, shift: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """A turned, scaled and shifted cut-out of a picture, and the affine map [2,3] from picture to view."""
    move = cv2.getRotationMatrix2D((320, 240), turn, scale)
    move[:, 2] += np.array(SIZE) / 2 - (320, 240) + np.array(shift)
    image = cv2.warpAffine(_picture(seed), move, SIZE, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    return np.clip(image, 0, 255).astype(np.uint8), move


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Exact flow [h,w,2] between two views of one picture."""
    full = [np.vstack([move, [0, 0, 1]]) for move in (first, second)]
    step = full[1] @ np.linalg.inv(full[0])
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    there = np.stack([x, y, np.ones_like(x)], -1) @ step.T
    return there[..., :2] - np.stack([x, y], -1)


def test_matches_are_where_the_picture_moved():
    (a, move_a), (b, move_b) = _view(0, 0, 1.0, (0, 0)), _view(0, 25, 1.2, (30, -20))
    found = match_features(find_features(a), find_features(b))
    assert len(found) > 40
    truth = _between(move_a, move_b)
    here = found.first.round().astype(int)
    error = np.abs(found.second - found.first - truth[here[:, 1], here[:, 0]]).max(1)
    assert np.mean(error < 1.5) > 0.9


def test_plain_and_tiny_images_have_no_matches():
    plain, tiny = np.full((100, 120), 90, np.uint8), np.zeros((3, 5), np.uint8)
    full = find_features(_view(0, 0, 1.0, (0, 0))[0])
    for image in (plain, tiny):
        assert len(find_features(image).points) == 0
        assert len(verified(match_features(find_features(image), full))) == 0


def test_verification_keeps_what_obeys_and_finds_the_geometry():
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.uniform(-1, 1, (80, 2)), rng.uniform(2, 5, 80)])
    motion = se3_exp(torch.tensor([0.5, 0.1, 0.2, 0.02, 0.1, 0.05], dtype=torch.float64)).numpy()
    moved = points @ motion[:3, :3].T + motion[:3, 3]
    first, second = (200 * p[:, :2] / p[:, 2:] + (120, 80) for p in (points, moved))
    wrong = np.arange(80) % 4 == 0
    second[wrong] = rng.uniform(0, 160, (wrong.sum(), 2))
    kept = verified(Matches(first, second))
    truly = {tuple(p) for p in first[~wrong]}
    assert truly <= {tuple(p) for p in kept.first}
    assert len(kept) <= len(truly) + 3
    assert kept.geometry is not None
    assert epipolar_distance(kept.geometry, first[~wrong], second[~wrong]).max() < 0.1


def test_epipolar_distance_is_the_distance_for_a_sideways_motion():
    """Lines are the image rows; Sampson's distance splits the offset evenly between both points."""
    rows = np.array([[0.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    first, second = np.array([[10.0, 20.0], [50, 60]]), np.array([[30.0, 20.0], [80, 63]])
    np.testing.assert_allclose(epipolar_distance(rows, first, second), [0, 3 / np.sqrt(2)], atol=1e-12)


def test_spread_matches_reproduce_an_affine_map():
    rng = np.random.default_rng(4)
    first = rng.uniform((0, 0), SIZE, (200, 2))
    affine, offset = np.array([[1.1, 0.2], [-0.15, 0.9]]), np.array([25.0, -10.0])
    field = spread_matches(first, first @ affine.T + offset, SIZE[::-1])
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    truth = np.stack([x, y], -1) @ (affine - np.eye(2)).T + offset
    # The tie to the identity acts where few matches are near.
    assert np.abs(field - truth).max() < 3
    assert np.median(np.abs(field - truth)) < 0.3


def test_spread_matches_on_a_line_stay_finite_and_keep_to_the_matches():
    first = np.column_stack([np.linspace(20, 200, 30), np.full(30, 80.0)])
    field = spread_matches(first, first + np.array([40, 5]), SIZE[::-1])
    assert np.isfinite(field).all()
    np.testing.assert_allclose(field[80, 30:190], np.broadcast_to((40, 5), (160, 2)), atol=0.5)


def test_led_flow_follows_a_turn_that_flow_from_zero_cannot():
    (a, move_a), (b, move_b) = _view(5, 0, 1.0, (0, 0)), _view(5, 40, 1.15, (20, 10))
    truth = _between(move_a, move_b)
    matches = verified(match_features(find_features(a), find_features(b)))
    led = guided_flow(a, b, spread_matches(matches.first, matches.second, a.shape))
    zero = searcher().calc(a, b, np.zeros_like(led))
    target = truth + np.stack(np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1])), -1)
    inside = ((target > 5) & (target < np.array(SIZE) - 6)).all(-1)
    good = [np.mean(np.abs(flow - truth).max(-1)[inside] < 1) for flow in (led, zero)]
    assert good[0] > 0.9
    assert good[1] < 0.3


def _measured(gray: list[np.ndarray]) -> tuple[FlowField, FlowField]:
    split = split_frames(len(gray), len(gray), held_out_every=0)
    before = measure_flow(gray, pair_graph(split, (1, 2)), CONFIG.flow_noise)
    return before, mend_wide_steps(before, gray, split, CONFIG.flow_noise)


def test_small_steps_are_left_alone():
    before, after = _measured([_view(6, 0, 1.0, (3.0 * k, k))[0] for k in range(3)])
    assert after is before


def test_wide_steps_are_mended_and_strangers_dropped():
    views = [_view(7, 0, 1.0, (0, 0)), _view(7, 35, 1.1, (20, 0)), _view(8, 0, 1.0, (0, 0)), _view(7, 5, 1.0, (4, 0))]
    before, after = _measured([view for view, _ in views])
    # Frames 0 and 3 are three places apart, which no usual gap covers; frame 2 shows another picture.
    assert (0, 3) not in before.flow
    assert set(after.pairs) == {(0, 1), (1, 0), (0, 3), (3, 0), (1, 3), (3, 1)}
    for pair in after.pairs:
        truth = _between(views[pair[0]][1], views[pair[1]][1])
        trusted = after.confidence[pair] > 0.5
        assert trusted.mean() > 0.3
        assert np.quantile(np.abs(after.flow[pair] - truth).max(-1)[trusted], 0.95) < 1
    mean = [field.confidence[0, 1].mean() for field in (before, after)]
    assert mean[1] > 5 * mean[0]


def test_confidence_is_no_higher_than_the_round_trip_allows():
    gray = [_view(7, 0, 1.0, (0, 0))[0], _view(7, 35, 1.1, (20, 0))[0]]
    _, after = _measured(gray)
    allowed = round_trip_confidence(after.flow[0, 1], after.flow[1, 0], CONFIG.flow_noise)
    assert (after.confidence[0, 1] <= allowed + 1e-6).all()
    assert after.confidence[0, 1].max() > 0.5


def test_held_out_pixels_do_not_change_pairs_of_training_frames():
    split = split_frames(6, held_out_every=4)
    assert split.held_out == [2]
    gray = [_view(9, 12.0 * k, 1.0, (12.0 * k, 0))[0] for k in range(6)]
    fields = []
    for held_out in (gray[2], _view(10, 0, 1.0, (0, 0))[0]):
        frames = [*gray[:2], held_out, *gray[3:]]
        flow = measure_flow(frames, pair_graph(split, (1, 2)), CONFIG.flow_noise)
        fields.append(mend_wide_steps(flow, frames, split, CONFIG.flow_noise))
    first, second = (field.between(split.train) for field in fields)
    assert first.pairs == second.pairs
    for pair in first.pairs:
        np.testing.assert_array_equal(first.flow[pair], second.flow[pair])
        np.testing.assert_array_equal(first.confidence[pair], second.confidence[pair])
    assert fields[0].pairs != fields[1].pairs
