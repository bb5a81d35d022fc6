"""Errors of point tracks as TAPVid-3D (Koppula et al., NeurIPS 2024) and TAP-Vid (Doersch et al., NeurIPS 2022) do."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

THRESHOLDS = (1, 2, 4, 8, 16)
"""Pixels that count as found: in 3D at a point's true depth, of a picture whose shorter side has `SIDE`; in 2D of one
that is brought to `SIDE` x `SIDE`."""
SIDE = 256
"""Size of the picture that thresholds are meant in."""


@dataclass(frozen=True)
class TrackScores:
    """Scores in [0, 1]; the higher, the better.

    Attributes:
        average_jaccard: AJ, of places and visibility together.
        within: APD, share of truly visible points within a threshold, mean over the thresholds.
        occlusion_accuracy: OA, share of right answers to whether a point is seen.
    """

    average_jaccard: float
    within: float
    occlusion_accuracy: float


def median_scale(
    found: Float[Tensor, "n p 3"], true: Float[Tensor, "n p 3"], both: Bool[Tensor, "n p"]
) -> Float[Tensor, ""]:
    """What found places are multiplied by: median distance from the camera of the true ones over that of the found."""
    return true[both].norm(dim=-1).median() / found[both].norm(dim=-1).median()


def score_tracks(
    found: Float[Tensor, "n p 3"],
    found_visible: Bool[Tensor, "n p"],
    true: Float[Tensor, "n p 3"],
    true_visible: Bool[Tensor, "n p"],
    focal: Float[Tensor, "2"],
    size: tuple[int, int],
) -> TrackScores:
    """Scores of one clip in 3D, with the median scale.

    Args:
        found: Places in each frame's camera.
        found_visible: Where they are said to be seen.
        true: True places in each frame's camera.
        true_visible: Where they are seen.
        focal: fx and fy, pixels.
        size: Width and height of the picture.

    Raises:
        ValueError: No point is truly visible.
    """
    both = found_visible & true_visible
    scale = median_scale(found, true, both) if bool(both.any()) else true.new_tensor(1.0)
    focals = focal.to(true) * SIDE / min(size)
    # One pixel's width at the point's true depth.
    pixel = true[..., 2] / focals.prod().sqrt()
    return _scores((scale * found - true).norm(dim=-1) / pixel, found_visible, true_visible)


def score_tracks_2d(
    found: Float[Tensor, "n p 2"],
    found_visible: Bool[Tensor, "n p"],
    true: Float[Tensor, "n p 2"],
    true_visible: Bool[Tensor, "n p"],
    size: tuple[int, int],
) -> TrackScores:
    """Scores of one clip in the picture.

    Args:
        found: Places in pixels.
        found_visible: Where they are said to be seen.
        true: True places in pixels.
        true_visible: Where they are seen.
        size: Width and height of the picture.

    Raises:
        ValueError: No point is truly visible.
    """
    error = (found - true) * SIDE / true.new_tensor(size)
    return _scores(error.norm(dim=-1), found_visible, true_visible)


def _scores(
    error: Float[Tensor, "n p"], found_visible: Bool[Tensor, "n p"], true_visible: Bool[Tensor, "n p"]
) -> TrackScores:
    """From errors in pixels."""
    if not bool(true_visible.any()):
        raise ValueError("no point is visible")
    jaccard, within = [], []
    for threshold in THRESHOLDS:
        near = error < threshold
        hit = (found_visible & true_visible & near).sum()
        wrong = (found_visible & ~(true_visible & near)).sum()
        jaccard.append(hit / (true_visible.sum() + wrong))
        within.append((near & true_visible).sum() / true_visible.sum())
    right = (found_visible == true_visible).double().mean()
    jaccards, shares = (float(torch.stack(values).double().mean()) for values in (jaccard, within))
    return TrackScores(jaccards, shares, float(right))
