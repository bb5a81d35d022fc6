"""Rotations as quaternions: wxyz, Hamilton's product, `rotate(q, v)` = q v q*, batched over leading dimensions."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.smooth import arcsinc, cos_sqrt, sinc_sqrt


def normalize(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """Scale to unit length; a zero quaternion stays zero, which `to_matrix` turns into the identity."""
    return torch.nn.functional.normalize(q, dim=-1)


def conjugate(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """The inverse rotation, for unit quaternions."""
    return torch.cat([q[..., :1], -q[..., 1:]], dim=-1)


def multiply(a: Float[Tensor, "*#batch 4"], b: Float[Tensor, "*#batch 4"]) -> Float[Tensor, "*batch 4"]:
    """Hamilton's product: the rotation `b` first, then `a`, like matrices."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        dim=-1,
    )


def from_axis_angle(w: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 4"]:
    """Unit quaternion of a rotation vector (axis times angle in radians); smooth at zero."""
    quarter = w.square().sum(-1) / 4
    return torch.cat([cos_sqrt(quarter)[..., None], 0.5 * sinc_sqrt(quarter)[..., None] * w], dim=-1)


def to_axis_angle(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3"]:
    """Rotation vector of length at most pi; `q` need not have unit length. Smooth at the identity."""
    q = normalize(q)
    q = torch.where(q[..., :1] < 0, -q, q)
    vector = q[..., 1:]
    return 2 * arcsinc(vector.square().sum(-1), q[..., 0])[..., None] * vector


def to_matrix(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3 3"]:
    """Rotation matrix; `q` need not have unit length."""
    w, x, y, z = normalize(q).unbind(-1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], dim=-1),
        torch.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], dim=-1),
        torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], dim=-1),
    ]
    return torch.stack(rows, dim=-2)


def from_matrix(R: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4"]:
    """Unit quaternion with w >= 0, equally exact for every rotation, half turns included.

    The symmetric matrix 4 q q^T is linear in the entries of R. Each of its rows is a multiple of q; the row with the
    largest diagonal entry is at least 2 long, so that normalising it never amplifies round-off.
    """
    (a, b, c), (d, e, f), (g, h, i) = (row.unbind(-1) for row in R.unbind(-2))
    rows = [
        torch.stack([1 + a + e + i, h - f, c - g, d - b], dim=-1),
        torch.stack([h - f, 1 + a - e - i, b + d, c + g], dim=-1),
        torch.stack([c - g, b + d, 1 - a + e - i, f + h], dim=-1),
        torch.stack([d - b, c + g, f + h, 1 - a - e + i], dim=-1),
    ]
    outer = torch.stack(rows, dim=-2)
    best = outer.diagonal(dim1=-2, dim2=-1).argmax(-1)
    row = torch.take_along_dim(outer, best[..., None, None], dim=-2).squeeze(-2)
    q = normalize(row)
    return torch.where(q[..., :1] < 0, -q, q)


def rotate(q: Float[Tensor, "*#batch 4"], v: Float[Tensor, "*#batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Turn the vectors `v` by `q`, which need not have unit length."""
    q = normalize(q)
    axis, v = torch.broadcast_tensors(q[..., 1:], v)
    twice = 2 * torch.linalg.cross(axis, v)
    return v + q[..., :1] * twice + torch.linalg.cross(axis, twice)


def slerp(
    a: Float[Tensor, "*batch 4"], b: Float[Tensor, "*batch 4"], t: Float[Tensor, "*batch"] | float
) -> Float[Tensor, "*batch 4"]:
    """Turn at constant speed from `a` (t = 0) to `b` (t = 1) the short way round; t may lie outside [0, 1].

    The path is a exp(t log(a* b)) (Shoemake 1985), which needs no special case for nearly equal ends.
    """
    turn = to_axis_angle(multiply(conjugate(normalize(a)), normalize(b)))
    fraction = t[..., None] if isinstance(t, Tensor) else t
    return multiply(normalize(a), from_axis_angle(fraction * turn))
