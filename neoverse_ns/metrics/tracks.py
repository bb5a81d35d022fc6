"""Errors of point tracks in 3D as TAPVid-3D measures them (Koppula et al., NeurIPS 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

THRESHOLDS = (1, 2, 4, 8, 16)
"""Pixels, of a picture whose shorter side has 256, that count as found at a point's true depth."""
SHORTER_SIDE = 256
"""Pixels of the shorter side of the picture that thresholds are meant in."""


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
    """Scores of one clip, with the median scale.

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
    if not bool(true_visible.any()):
        raise ValueError("no point is visible")
    both = found_visible & true_visible
    scale = median_scale(found, true, both) if bool(both.any()) else true.new_tensor(1.0)
    error = (scale * found - true).norm(dim=-1)
    focals = focal.to(true) * SHORTER_SIDE / min(size)
    # One pixel's width at the point's true depth.
    pixel = true[..., 2] / focals.prod().sqrt()
    jaccard, within = [], []
    for threshold in THRESHOLDS:
        near = error < threshold * pixel
        hit = (both & near).sum()
        wrong = (found_visible & ~(true_visible & near)).sum()
        jaccard.append(hit / (true_visible.sum() + wrong))
        within.append((near & true_visible).sum() / true_visible.sum())
    right = (found_visible == true_visible).double().mean()
    means = (float(torch.stack(values).double().mean()) for values in (jaccard, within))
    return TrackScores(*means, float(right))
