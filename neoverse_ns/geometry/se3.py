"""Rotations and rigid motions: exponential and logarithm maps, batched, differentiable, in the caller's precision.

Formulas: Barfoot, State Estimation for Robotics (2017), chapter 7. Twists are [translation rho, rotation phi].
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.smooth import cubic_sqrt, sinc_sqrt, versine_sqrt


def skew(v: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The matrix with skew(v) u = v x u."""
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))


def so3_exp(w: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Rotation matrix of a rotation vector (axis times angle in radians), Rodrigues' formula."""
    x = w.square().sum(-1)[..., None, None]
    W = skew(w)
    return _identity(w) + sinc_sqrt(x) * W + versine_sqrt(x) * (W @ W)


def so3_log(R: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3"]:
    """Rotation vector of length at most pi; at exactly half a turn one of the two opposite vectors."""
    return quaternions.to_axis_angle(quaternions.from_matrix(R))


def se3_exp(xi: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 4 4"]:
    """Rigid motion of a twist: rotation exp(phi), translation J(phi) rho with the left Jacobian J of SO(3)."""
    rho, phi = xi[..., :3], xi[..., 3:]
    x = phi.square().sum(-1)[..., None, None]
    W = skew(phi)
    WW = W @ W
    R = _identity(xi) + sinc_sqrt(x) * W + versine_sqrt(x) * WW
    J = _identity(xi) + versine_sqrt(x) * W + cubic_sqrt(x) * WW
    return assemble(R, (J @ rho[..., None]).squeeze(-1))


def se3_inverse(T: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 4 4"]:
    """Inverse of a rigid motion, from its transpose: exact and cheaper than a general matrix inverse."""
    R_transposed = T[..., :3, :3].mT
    return assemble(R_transposed, -(R_transposed @ T[..., :3, 3:]).squeeze(-1))


def assemble(R: Float[Tensor, "*batch 3 3"], t: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 4 4"]:
    """The 4x4 matrix that turns by `R`, then moves by `t`."""
    top = torch.cat([R, t[..., None]], dim=-1)
    bottom = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=R.dtype, device=R.device).expand(*R.shape[:-2], 1, 4)
    return torch.cat([top, bottom], dim=-2)


def _identity(like: Tensor) -> Tensor:
    return torch.eye(3, dtype=like.dtype, device=like.device)
