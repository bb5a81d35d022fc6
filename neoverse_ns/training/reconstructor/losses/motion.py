"""Velocities toward one neighbouring keyframe."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.training.reconstructor.losses.robust import FEWEST, errors, trimmed_mean, weighted

REWARDED_CONFIDENCE = 150.0
"""More is worth no more. Most of the world stands still, where a head that says zero is exactly right: nothing else
would hold its confidence back, and that of the first pixel to move would cost everything."""


def motion_loss(
    predicted: Float[Tensor, "m h w 3"],
    confidence: Float[Tensor, "m h w"],
    truth: Float[Tensor, "m h w 3"],
    valid: Bool[Tensor, "m h w"],
    form: Literal["robust", "plain"] = "robust",
    balance_moving: bool = True,
    moving_threshold: float = 0.01,
    smooth: float = 0.0,
) -> Float[Tensor, ""]:
    """Euclidean errors of a clip's displacements in one direction; 0 where fewer than 100 pixels are valid.

    Args:
        predicted: Toward the neighbour, camera axes.
        confidence: Above 1; not used by the plain form.
        truth: Of any value where it is not valid.
        valid: It is known.
        form: `robust`: m(e c - 0.2 ln c) + m(e) as of depth, without gradients between pixels, which would blur the
            silhouettes of what moves. `plain`: the mean of e, not clamped.
        balance_moving: Average moving pixels and still ones apart, each counting half; all in one where there are none
            of a kind.
        moving_threshold: Displacement from which a pixel moves.
        smooth: Of the plain form: errors well below this count by their squares, sqrt(e^2 + smooth^2) - smooth. A norm
            holds what is exactly right, as still pixels are at first, as fast as it draws what is wrong.
    """
    if int(valid.sum()) < FEWEST:
        return predicted.new_zeros(())
    moving = torch.linalg.vector_norm(truth[valid], dim=-1) > moving_threshold
    kinds = [kind for kind in (moving, ~moving) if bool(kind.any())] if balance_moving else [torch.ones_like(moving)]
    if form == "plain":
        difference = truth[valid] - predicted[valid]
        if smooth:
            values = [(difference.square().sum(-1) + smooth**2).sqrt() - smooth]
        else:
            values = [torch.linalg.vector_norm(difference, dim=-1)]
    else:
        error = errors(predicted, truth, valid)
        values = [weighted(error, confidence[valid], REWARDED_CONFIDENCE), error]
    mean = torch.mean if form == "plain" else trimmed_mean
    return torch.stack([torch.stack([mean(value[kind]) for kind in kinds]).mean() for value in values]).sum()
