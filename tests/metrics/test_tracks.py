"""Scores of point tracks against cases worked out by hand."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.metrics.tracks import THRESHOLDS, median_scale, score_tracks, score_tracks_2d

FOCAL, SIZE = torch.tensor([512.0, 512.0]), (512, 256)


def points(count: int = 4, frames: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    xy = torch.rand(frames, count, 2, generator=generator, dtype=torch.float64) - 0.5
    return torch.cat([xy, torch.full((frames, count, 1), 4.0, dtype=torch.float64)], -1)


def test_the_truth_at_any_scale_is_perfect() -> None:
    true, seen = points(), torch.rand(5, 4, generator=torch.Generator().manual_seed(0)) > 0.3
    scores = score_tracks(0.3 * true, seen, true, seen, FOCAL, SIZE)
    assert (scores.average_jaccard, scores.within, scores.occlusion_accuracy) == (1, 1, 1)


def test_thresholds_are_pixels_at_the_true_depth() -> None:
    true, seen = points(), torch.ones(5, 4, dtype=torch.bool)
    found = true.clone()
    # One point of four is 3 pixels of a picture with a shorter side of 256 away in all frames: beyond 1 and 2.
    found[:, 0, 1] += 3 * 4 / 512
    scale = median_scale(found, true, seen)
    scores = score_tracks(found / scale, seen, true, seen, FOCAL, SIZE)
    assert scores.within == pytest.approx((2 * 0.75 + 3) / len(THRESHOLDS), abs=1e-6)
    # Misses count twice: as not found, and as found where there is nothing. 15 / (20 + 5).
    assert scores.average_jaccard == pytest.approx((2 * 15 / 25 + 3) / len(THRESHOLDS), abs=1e-6)
    # In a picture twice as large the same distance is as many of its pixels, halved to the common size.
    twice = score_tracks(found / scale, seen, true, seen, 2 * FOCAL, (1024, 512))
    assert twice == scores


def test_visibility_counts() -> None:
    true, seen = points(), torch.ones(5, 4, dtype=torch.bool)
    seen[0] = False
    said = torch.ones(5, 4, dtype=torch.bool)
    said[1, 0] = False
    scores = score_tracks(true, said, true, seen, FOCAL, SIZE)
    assert scores.within == 1
    assert scores.occlusion_accuracy == pytest.approx(15 / 20)
    assert scores.average_jaccard == pytest.approx(15 / (16 + 4))
    with pytest.raises(ValueError, match="no point is visible"):
        score_tracks(true, said, true, torch.zeros_like(seen), FOCAL, SIZE)


def test_in_the_picture_both_sides_count_as_256() -> None:
    true, seen = 100 * points()[..., :2], torch.ones(5, 4, dtype=torch.bool)
    found = true.clone()
    found[:, 0, 0] += 5.0  # of 512: 2.5 of 256
    found[:, 1, 1] += 5.0  # of 128: 10 of 256
    scores = score_tracks_2d(found, seen, true, seen, (512, 128))
    assert scores.within == pytest.approx((0.5 + 0.5 + 0.75 + 0.75 + 1) / len(THRESHOLDS))
    assert scores.average_jaccard == pytest.approx((10 / 30 + 10 / 30 + 15 / 25 + 15 / 25 + 1) / len(THRESHOLDS))
