"""The world and the unit of a sample: its first keyframe's camera, and the mean distance of what is seen from it."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.geometry.projection import unproject
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.training.data.sample import TrainingSample

LEAST_UNIT = 1e-8


def normalise(sample: TrainingSample) -> TrainingSample:
    """Bring a sample in any world and unit to its own.

    Depth, translations and displacements are divided by s, the mean over the valid pixels of all frames of the distance
    of their world points from the first keyframe's camera; `scale` is multiplied with it. Where poses are unknown the
    distance is from each frame's own camera. Where depth is, s is the mean length of the other frames' translations,
    which only keeps numbers moderate.
    """
    c2w = relative_to_first(sample.c2w.double())
    s = max(_unit(sample, c2w), LEAST_UNIT)
    c2w[:, :3, 3] /= s
    return replace(
        sample,
        c2w=c2w.to(sample.c2w.dtype),
        depth=sample.depth / s,
        v_fwd=sample.v_fwd / s,
        v_bwd=sample.v_bwd / s,
        scale=sample.scale * s,
    )


def relative_to_first(c2w: Float64[Tensor, "s 4 4"]) -> Float64[Tensor, "s 4 4"]:
    """Poses in the world of the first one, whose own becomes the identity exactly."""
    relative = se3_inverse(c2w[0]) @ c2w
    relative[0] = torch.eye(4, dtype=c2w.dtype)
    return relative


def _unit(sample: TrainingSample, c2w: Float64[Tensor, "s 4 4"]) -> float:
    if sample.valid.any():
        distance = unproject(sample.depth.double(), sample.K.double(), c2w).norm(dim=-1)
        return float(distance[sample.valid].mean())
    if sample.has_depth or len(c2w) < 2:
        return 1.0
    length = float(c2w[1:, :3, 3].norm(dim=-1).mean())
    return length if length > 0 else 1.0
