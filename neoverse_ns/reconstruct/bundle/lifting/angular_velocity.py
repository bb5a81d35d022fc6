"""Rotation of what moves: the rigid turn that explains how the pixels around each one are displaced."""

from __future__ import annotations

import cv2
import torch
from jaxtyping import Bool, Float
from torch import Tensor

WINDOW = 15
"""Side in pixels of the neighbourhood that is taken to turn as one."""
FLOW_ERROR = 0.5
"""Typical error of flow in pixels."""
DEPTH_ERROR = 0.05
"""Typical relative error with which depth changes between keyframes."""
ALIKE = 64.0
"""Pixels that share one error: flow compares patches of about 8 by 8."""
TYPICAL = 0.2
"""Turn in radians per gap that is plausible before anything is seen; what flow does not determine stays zero."""


def local_rotation(
    points: Float[Tensor, "h w 3"],
    displacement: Float[Tensor, "h w 3"],
    trust: Float[Tensor, "h w"],
    moving: Bool[Tensor, "h w"],
    focal: float,
) -> Float[Tensor, "h w 3"]:
    """Axis-angle rotation of the window around every moving pixel; zero for what does not move.

    Least squares for a small turn, d = w x r about the window's centre of mass, with the errors of flow across the line
    of sight and those of depth along it, a Gaussian prior around no turn, and the errors enlarged where the window
    does not move as one body. A full turn by an angle has the sine of it as its linear part (Rodrigues), which is
    undone at the end.

    Args:
        points: Positions in the axes of the keyframe's camera.
        displacement: Over one gap, in the same axes.
        trust: Of the displacement, at least 0.
        moving: Pixels that move on their own; nothing else is looked at.
        focal: Focal length in pixels.

    Returns:
        Rotation vectors in the axes of the keyframe's camera, radians per gap.
    """
    if not moving.any():
        return torch.zeros_like(points)
    everywhere = moving.nonzero(as_tuple=True)
    # Only the part of the image that holds moving pixels costs anything.
    part = tuple(slice(int(index.min()), int(index.max()) + 1) for index in everywhere)
    result = torch.zeros_like(points)
    points, displacement, trust, moving = points[part], displacement[part], trust[part], moving[part]
    rows, columns = moving.nonzero(as_tuple=True)
    weight = (trust * moving).double()
    r, d = points.double(), displacement.double()
    # Products of coordinates lose what matters to round-off far from the origin: count from the mean.
    r, d = r - r[moving].mean(0), d - d[moving].mean(0)
    outer = [r[..., :, None] * r[..., None, :], r[..., :, None] * d[..., None, :], (d * d)[..., None, :]]
    maps = torch.cat([torch.ones_like(r[..., :1]), r, d, *(o.flatten(-2) for o in outer)], -1) * weight[..., None]
    pooled = cv2.boxFilter(maps.numpy(), -1, (WINDOW, WINDOW), normalize=False, borderType=cv2.BORDER_CONSTANT)
    sums = torch.from_numpy(pooled)[rows, columns]
    count = sums[:, 0].clamp_min(1e-9)
    mean_r, mean_d = sums[:, 1:4] / count[:, None], sums[:, 4:7] / count[:, None]
    rr = sums[:, 7:16].unflatten(1, (3, 3)) - count[:, None, None] * mean_r[:, :, None] * mean_r[:, None, :]
    rd = sums[:, 16:25].unflatten(1, (3, 3)) - count[:, None, None] * mean_r[:, :, None] * mean_d[:, None, :]
    dd = sums[:, 25:28] - count[:, None] * mean_d.square()

    z = points[rows, columns, 2].double()
    across = 1 / (FLOW_ERROR * z / focal).square() / ALIKE
    precision = torch.stack([across, across, 1 / (DEPTH_ERROR * z).square() / ALIKE], -1)
    information, pull = _normal_equations(rr, rd, precision)
    prior = torch.eye(3, dtype=torch.float64) / TYPICAL**2
    turn = torch.linalg.solve(information + prior, pull)
    explained = 2 * (turn * pull).sum(-1) - torch.einsum("ni,nij,nj->n", turn, information, turn)
    misfit = (precision * dd).sum(-1) - explained
    excess = (ALIKE * misfit / (3 * count)).clamp_min(1.0)[:, None]
    turn = torch.linalg.solve(information / excess[..., None] + prior, pull / excess)
    sine = turn.norm(dim=-1, keepdim=True).clamp(1e-12, 1.0)
    result[everywhere] = (turn * sine.asin() / sine).to(points.dtype)
    return result


def _normal_equations(
    rr: Float[Tensor, "n 3 3"], rd: Float[Tensor, "n 3 3"], precision: Float[Tensor, "n 3"]
) -> tuple[Float[Tensor, "n 3 3"], Float[Tensor, "n 3"]]:
    """Of d = w x r in w, from the sums of r r^T and r d^T and the precision of each coordinate of d."""
    px, py, pz = precision.unbind(-1)
    xx, yy, zz = rr.diagonal(dim1=-2, dim2=-1).unbind(-1)
    xy, xz, yz = -pz * rr[:, 0, 1], -py * rr[:, 0, 2], -px * rr[:, 1, 2]
    rows = [
        torch.stack([py * zz + pz * yy, xy, xz], -1),
        torch.stack([xy, px * zz + pz * xx, yz], -1),
        torch.stack([xz, yz, px * yy + py * xx], -1),
    ]
    pull = [
        pz * rd[:, 1, 2] - py * rd[:, 2, 1],
        px * rd[:, 2, 0] - pz * rd[:, 0, 2],
        py * rd[:, 0, 1] - px * rd[:, 1, 0],
    ]
    return torch.stack(rows, -2), torch.stack(pull, -1)
