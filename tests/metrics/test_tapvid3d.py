"""Tracks in space against TAPVid-3D's rules written out place by place, and distances worked out by hand."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
import torch
from torch import Tensor

from neoverse_ns.metrics.tapvid3d import FIXED_THRESHOLDS, TrackScale, score_space_tracks
from neoverse_ns.metrics.tracks import THRESHOLDS, score_tracks

FOCAL, SIZE = torch.tensor([300.0, 320.0]), (200, 150)
QUERIES = torch.tensor([0, 2, 4, 1, 0, 3])


def tracks(spread: float = 0.6) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(2)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random, dtype=torch.float64)

    true = torch.cat([spread * (uniform(5, 6, 2) - 0.5), 2 + spread * uniform(5, 6, 1)], -1)
    # Tracks at different distances from the truth, so that each threshold parts some of them.
    off = torch.tensor([0.001, 0.005, 0.02, 0.05, 0.2, 1.0])[:, None]
    found = 0.4 * (true + off * (uniform(5, 6, 3) - 0.5)) * (1 + 0.1 * uniform(6)[:, None])
    return found, uniform(5, 6) > 0.2, true, uniform(5, 6) > 0.3


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("scale", ["none", "median", "per-trajectory", "local-neighbourhood"])
@pytest.mark.parametrize("spread", [0.6, 0.05])
def test_scores_are_those_of_loops(scale: TrackScale, fixed: bool, spread: float) -> None:
    found, said, true, seen = tracks(spread)
    scores = score_space_tracks(found, said, true, seen, FOCAL, SIZE, scale=scale, fixed=fixed, queries=QUERIES)
    expected = loop_twin(found.numpy(), said.numpy(), true.numpy(), seen.numpy(), scale, fixed)
    mine = scores.average_jaccard, scores.within, scores.occlusion_accuracy, scores.mean_distance
    assert mine == pytest.approx(expected[:4], abs=1e-9)
    assert scores.share_within == pytest.approx(expected[4], abs=1e-9)
    assert scores.reason is None


def loop_twin(found, said, true, seen, scale: str, fixed: bool):
    """One place after another."""
    frames, count = said.shape
    depth = [true[QUERIES[p], p, 2] / found[QUERIES[p], p, 2] for p in range(count)]
    both = [(n, p) for n in range(frames) for p in range(count) if said[n, p] and seen[n, p]]
    norms = [statistics.median(float(np.linalg.norm(x[place])) for place in both) for x in (true, found)]
    if scale == "local-neighbourhood":
        places = []
        for q in range(count):
            near = [
                (n, p) for n in range(frames) for p in range(count) if np.linalg.norm(true[n, p] - true[n, q]) < 0.05
            ]
            weight = sum(seen[:, q]) / max(1, sum(seen[place] for place in near))
            places += [(place, depth[q], weight) for place in near]
    else:
        factor = {"none": [1.0] * count, "median": [norms[0] / norms[1]] * count, "per-trajectory": depth}[scale]
        places = [((n, p), factor[p], 1.0) for n in range(frames) for p in range(count)]
    pixel = math.sqrt(300 * 320) * 256 / 150
    jaccards, shares = [], []
    distance = {(place, s): float(np.linalg.norm(s * found[place] - true[place])) for place, s, _ in places}
    visible = sum(w for place, _, w in places if seen[place])
    for threshold in FIXED_THRESHOLDS if fixed else THRESHOLDS:
        hit = false = near_seen = 0.0
        for place, s, w in places:
            near = distance[place, s] < (threshold if fixed else threshold * true[place][2] / pixel)
            hit += w * (said[place] and seen[place] and near)
            false += w * (said[place] and (not seen[place] or not near))
            near_seen += w * (seen[place] and near)
        jaccards.append(hit / (visible + false))
        shares.append(near_seen / visible)
    right = sum(w * (said[place] == seen[place]) for place, _, w in places) / sum(w for *_, w in places)
    mean = sum(w * distance[place, s] for place, s, w in places if seen[place]) / visible
    within = {
        d: sum(w for place, s, w in places if seen[place] and distance[place, s] < d) / visible for d in (0.05, 0.1)
    }
    return statistics.mean(jaccards), statistics.mean(shares), right, mean, within


def test_the_median_is_that_of_the_projects_own_scores() -> None:
    found, said, true, seen = tracks()
    said[0, 0] = seen[0, 0] = True
    if int((said & seen).sum()) % 2 == 0:
        said[tuple((said & seen).nonzero()[1])] = False
    mine, own = (score(found, said, true, seen, FOCAL, SIZE) for score in (score_space_tracks, score_tracks))
    assert mine.average_jaccard == pytest.approx(own.average_jaccard, abs=1e-6)
    assert mine.within == pytest.approx(own.within, abs=1e-6)
    assert mine.occlusion_accuracy == pytest.approx(own.occlusion_accuracy)


def test_distances_by_hand() -> None:
    true = torch.zeros(2, 2, 3, dtype=torch.float64)
    true[..., 2] = 3
    found = true.clone()
    found[:, 0, 0], found[0, 1, 1], found[1, 1, 1] = 0.04, 0.08, 5.0
    seen = torch.tensor([[True, True], [True, False]])
    scores = score_space_tracks(found, seen, true, seen, FOCAL, SIZE, scale="none", distances=(0.05, 0.1))
    assert scores.mean_distance == pytest.approx(0.16 / 3)
    assert scores.share_within == pytest.approx({0.05: 2 / 3, 0.1: 1})


def test_what_cannot_be_scored_says_why() -> None:
    found, said, true, seen = tracks()
    nothing = score_space_tracks(found, said, true, torch.zeros_like(seen), FOCAL, SIZE)
    assert math.isnan(nothing.average_jaccard)
    assert nothing.reason == "no point is visible"
    unknown = score_space_tracks(found, ~seen, true, seen, FOCAL, SIZE)
    assert (unknown.average_jaccard, unknown.within, unknown.occlusion_accuracy) == (0, 0, 0)
    assert math.isnan(unknown.mean_distance)
    assert "scale" in (unknown.reason or "")
    with pytest.raises(ValueError, match="needs the frame"):
        score_space_tracks(found, said, true, seen, FOCAL, SIZE, scale="per-trajectory")
