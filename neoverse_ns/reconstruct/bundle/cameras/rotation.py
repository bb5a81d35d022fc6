"""Cameras that only turn: rotations between frames straight from flow."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.cameras.two_view import chain

ROUNDS = 15
"""Reweightings of a rotation fit."""


def rotation_start(observations: Observations, focal: float) -> State:
    """Chain of rotations from frame to frame, all points infinitely far.

    Args:
        observations: Flow of all pairs, in both directions.
        focal: Focal length over width.
    """
    edges = observations.edges
    poses = torch.eye(4, dtype=torch.float64).repeat(observations.frames, 1, 1)
    for i, j in chain(observations):
        step = torch.eye(4, dtype=torch.float64)
        step[:3, :3] = fit_rotation(observations, edges[i, j], focal)
        poses[j] = step @ poses[i]
    far = torch.zeros(observations.frames, observations.points.shape[0], dtype=torch.float64)
    return State(poses, far, torch.full((observations.frames,), focal, dtype=torch.float64))


def fit_rotation(observations: Observations, edge: int, focal: float) -> Float[Tensor, "3 3"]:
    """Rotation from source to target camera that brings most rays together (robustly reweighted Kabsch)."""
    one = torch.ones_like(observations.centred[:1])
    a = torch.nn.functional.normalize(torch.cat([observations.centred / focal, one]), dim=0)
    seen = (observations.seen[edge] - observations.centre[:, None]) / focal
    b = torch.nn.functional.normalize(torch.cat([seen, one]), dim=0)
    pixel = 1 / (focal * observations.width)
    weights = observations.weights[edge]
    rotation = torch.eye(3, dtype=torch.float64)
    if weights.sum() < 3:
        return rotation
    width = None
    for _ in range(ROUNDS):
        distance = (rotation @ a - b).norm(dim=0)
        # The kernel narrows from the typical distance down to one pixel.
        typical = max(float(_weighted_median(distance, weights)), pixel)
        width = typical if width is None else max(pixel, min(0.7 * width, typical))
        w = weights / (1 + (distance / width) ** 2)
        u, _, vt = torch.linalg.svd((b * w) @ a.T)
        sign = torch.ones(3, dtype=torch.float64)
        sign[2] = torch.sign(torch.linalg.det(u @ vt))
        rotation = u @ torch.diag(sign) @ vt
    return rotation


def angle_degrees(R: Float[Tensor, "n 3 3"]) -> Float[Tensor, " n"]:
    """By how much each rotation turns."""
    cosine = (R.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    return torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))


def _weighted_median(values: Tensor, weights: Tensor) -> Tensor:
    order = values.argsort()
    cumulative = weights[order].cumsum(0)
    return values[order][torch.searchsorted(cumulative, 0.5 * cumulative[-1])]
