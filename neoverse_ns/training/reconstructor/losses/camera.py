"""Cameras of every round of the head's refinement (VGGT's loss, as its training code has it)."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry import quaternions, se3

ROUND_DECAY = 0.6
"""A round counts this much of the one after it."""
FOV_WEIGHT = 0.5
_LARGEST = 100.0


def camera_vectors(
    c2w: Float[Tensor, "*b 4 4"], K: Float[Tensor, "*b 3 3"], height: int, width: int
) -> Float[Tensor, "*b 9"]:
    """What the camera head should say: see :class:`NetworkPredictions`; quaternions are of unit length, w >= 0.

    Args:
        c2w: Camera-to-world, OpenCV axes.
        K: Intrinsics in pixels.
        height: Of the images, in pixels.
        width: Of the images, in pixels.
    """
    w2c = se3.se3_inverse(c2w)
    wxyz = quaternions.from_matrix(w2c[..., :3, :3])
    fov = 2 * torch.stack([torch.atan2(K.new_tensor(height / 2), K[..., 1, 1]), _half_fov(width, K)], dim=-1)
    return torch.cat([w2c[..., :3, 3], wxyz[..., 1:], wxyz[..., :1], fov], dim=-1)


def camera_loss(
    rounds: Float[Tensor, "r s 9"],
    truth: Float[Tensor, "s 9"],
    pose_known: bool = True,
    judged: Literal["all", "last"] = "all",
    smooth: float = 0.0,
) -> Float[Tensor, ""]:
    """Absolute differences of translation, quaternion and half those of the fields of view, averaged over frames.

    Rounds count 0.6^(rounds left), by the number of rounds.

    Args:
        rounds: Predictions, the last round last.
        truth: See :func:`camera_vectors`.
        pose_known: Otherwise the fields of view alone are judged.
        judged: `last`: the last round alone, at full weight.
        smooth: Differences d well below this count by their squares, sqrt(d^2 + smooth^2) - smooth.
    """
    if judged == "last":
        rounds = rounds[-1:]
    difference = (rounds - truth).abs()
    if smooth:
        difference = (difference.square() + smooth**2).sqrt() - smooth
    shares = FOV_WEIGHT * difference[..., 7:].mean((1, 2))
    if pose_known:
        translation, rotation = difference[..., :3].clamp(max=_LARGEST), difference[..., 3:7]
        shares = shares + translation.mean((1, 2)) + rotation.mean((1, 2))
    left = torch.arange(len(rounds) - 1, -1, -1, device=rounds.device, dtype=rounds.dtype)
    return (ROUND_DECAY**left * shares).sum() / len(rounds)


def scaled_to_prediction(c2w: Float[Tensor, "s 4 4"], predicted: Float[Tensor, "k 9"]) -> Float[Tensor, "s 4 4"]:
    """Poses of unknown unit in that of the predictions: the keyframes' mean distances from the world become equal.

    Args:
        c2w: Keyframes first.
        predicted: Of the keyframes; no gradient reaches them.
    """
    own, said = (norms.norm(dim=-1).mean() for norms in (c2w[: len(predicted), :3, 3], predicted.detach()[:, :3]))
    ratio = torch.where(own > 0, said / own.clamp_min(1e-8), torch.ones_like(own))
    return se3.assemble(c2w[:, :3, :3], c2w[:, :3, 3] * ratio)


def _half_fov(width: int, K: Float[Tensor, "*b 3 3"]) -> Float[Tensor, "*b"]:
    return torch.atan2(K.new_tensor(width / 2), K[..., 0, 0])
