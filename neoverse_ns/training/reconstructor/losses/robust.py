"""Robust regression of dense predictions with confidences (VGGT, Wang et al. 2025, and the code of its training)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.training.reconstructor.losses.gradients import depth_gradients, normal_angles

LARGEST = 100.0
"""Errors, and errors weighted by confidence, count at most so much."""
FEWEST = 100
"""Fewer valid pixels than this say nothing."""
CONFIDENCE_WEIGHT = 0.2
"""Of the logarithm that keeps confidences from falling."""
_QUANTILE = 0.98
_FEWEST_FOR_QUANTILE = 1000


def regression(
    predicted: Float[Tensor, "s h w c"],
    truth: Float[Tensor, "s h w c"],
    mask: Bool[Tensor, "s h w"],
    confidence: Float[Tensor, "s h w"] | None = None,
    gradients: Literal["depth", "normals"] | None = None,
) -> Float[Tensor, ""]:
    """m(e c - 0.2 ln c) + m(e) + G of a clip's frames; 0 where fewer than 100 pixels are valid.

    Args:
        predicted: Depth (c = 1) or vectors.
        truth: Of any value outside the mask.
        mask: Where the truth is known.
        confidence: c, above 0; None stands for 1.
        gradients: G: of depth, or of the normals of points; None for 0.
    """
    if int(mask.sum()) < FEWEST:
        return predicted.new_zeros(())
    error = errors(predicted, truth, mask)
    total = trimmed_mean(weighted(error, None if confidence is None else confidence[mask])) + trimmed_mean(error)
    if gradients == "depth":
        total = total + depth_gradients(predicted, truth, mask)
    elif gradients == "normals":
        total = total + normal_angles(predicted, truth, mask)
    return total


def errors(
    predicted: Float[Tensor, "s h w c"], truth: Float[Tensor, "s h w c"], mask: Bool[Tensor, "s h w"]
) -> Float[Tensor, " n"]:
    """Euclidean errors of the valid pixels, at most 100."""
    return torch.linalg.vector_norm(truth[mask] - predicted[mask], dim=-1).clamp(max=LARGEST)


def weighted(
    error: Float[Tensor, " n"], confidence: Float[Tensor, " n"] | None, rewarded: float = math.inf
) -> Float[Tensor, " n"]:
    """Errors weighted by confidence, less what confidence is worth.

    Args:
        error: See :func:`errors`.
        confidence: None stands for 1.
        rewarded: Confidence beyond this is worth no more.
    """
    if confidence is None:
        return error
    worth = CONFIDENCE_WEIGHT * confidence.clamp(max=rewarded).log()
    return (error * confidence - worth).clamp(-LARGEST, LARGEST)


def trimmed_mean(values: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """Mean of what lies below the 98 % quantile where over 1,000 values do, else of all; 0 of none."""
    count = len(values)
    if count == 0:
        return values.new_zeros(())
    if count <= _FEWEST_FOR_QUANTILE:
        return values.mean()
    bound = values.detach().kthvalue(round(_QUANTILE * (count - 1)) + 1).values
    below = values < bound
    return values[below].mean() if int(below.sum()) > _FEWEST_FOR_QUANTILE else values.mean()
