"""Residuals of the flow against cameras and inverse depths, and their normal equations with the depths eliminated.

Notation as in Triggs et al., "Bundle Adjustment: A Modern Synthesis" (1999). World-to-camera poses are perturbed on the
left, T <- exp(xi) T with xi = (translation, rotation); the focal length by its logarithm. A grid point with viewing ray
v = (x, y, 1) and inverse depth d of frame i lies in frame j along y = R v + d t with (R, t) = T_j T_i^-1.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.se3 import se3_inverse, skew
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations

NEAREST = 0.05
"""Points whose distance shrinks below this share of what it was in their source frame count as behind the target."""

EDGES_AT_ONCE = 16
"""Edges whose derivatives are held in memory at once, for each core."""


@dataclass(frozen=True)
class State:
    """What is solved for.

    Attributes:
        poses: World-to-camera.
        inverse_depth: Of every grid point of every frame.
        focal: Focal length over width.
    """

    poses: Float[Tensor, "n 4 4"]
    inverse_depth: Float[Tensor, "n p"]
    focal: Float[Tensor, ""]


@dataclass(frozen=True)
class Residuals:
    """Reprojection error of every edge and grid point, and what its derivatives need.

    Attributes:
        error: Predicted minus seen position, image widths.
        moved: Point in the target camera, scaled by its inverse depth in the source.
        front: Whether it lies in front of the target camera.
        relative: Source camera to target camera.
    """

    error: Float[Tensor, "e 2 p"]
    moved: Float[Tensor, "e 3 p"]
    front: Float[Tensor, "e p"]
    relative: Float[Tensor, "e 4 4"]


@dataclass(frozen=True)
class NormalEquations:
    """Gauss-Newton system H x = -g over poses and log focal length, depths still separate.

    Attributes:
        hessian: Pose and focal block; rows 6 i .. 6 i + 5 belong to frame i, the last to the focal length.
        gradient: Of the same unknowns.
        cross: Rows of the mixed block that concern each frame's depths: its own pose, the pose of the target of each of
            its edges, the focal length.
        index: Which unknown each row of `cross` belongs to; one past the last for padding.
        curvature: Diagonal depth block.
        depth_gradient: Gradient of the depths.
    """

    hessian: Float[Tensor, "s s"]
    gradient: Float[Tensor, " s"]
    cross: Float[Tensor, "n l p"]
    index: Tensor
    curvature: Float[Tensor, "n p"]
    depth_gradient: Float[Tensor, "n p"]

    def solve(self, damping: float, free: Tensor) -> tuple[Float[Tensor, " s"], Float[Tensor, "n p"]]:
        """Damped step of the free unknowns and of all depths, by Schur complement over the depths."""
        size = len(self.gradient)
        inverse = 1 / (self.curvature * (1 + damping))
        scaled = self.cross * inverse[:, None]
        local = torch.bmm(scaled, self.cross.mT)
        reduced = torch.zeros((size + 1) ** 2, dtype=local.dtype)
        place = self.index[:, :, None] * (size + 1) + self.index[:, None, :]
        reduced.index_add_(0, place.flatten(), local.flatten())
        right = torch.zeros(size + 1, dtype=local.dtype)
        right.index_add_(0, self.index.flatten(), torch.bmm(scaled, self.depth_gradient[..., None]).flatten())
        matrix = self.hessian + torch.diag(damping * self.hessian.diagonal() + 1e-9)
        matrix = (matrix - reduced.view(size + 1, size + 1)[:size, :size])[free][:, free]
        step = torch.zeros(size + 1, dtype=local.dtype)
        step[:size][free] = -torch.linalg.solve(matrix, (self.gradient - right[:size])[free])
        back = torch.bmm(self.cross.mT, step[self.index][..., None]).squeeze(-1)
        return step[:size], -inverse * (self.depth_gradient + back)


def residuals(observations: Observations, state: State) -> Residuals:
    """Evaluate every edge at `state`."""
    i, j = observations.source, observations.target
    relative = state.poses[j] @ se3_inverse(state.poses)[i]
    rays = torch.cat([observations.centred / state.focal, torch.ones_like(observations.centred[:1])])
    moved = relative[:, :3, :3] @ rays + relative[:, :3, 3:] * state.inverse_depth[i][:, None]
    z = moved[:, 2:]
    predicted = state.focal * moved[:, :2] / z.clamp_min(NEAREST) + observations.centre[:, None]
    return Residuals(predicted - observations.seen, moved, (z[:, 0] > NEAREST).to(z.dtype), relative)


def normal_equations(
    observations: Observations,
    state: State,
    at: Residuals,
    weights: Float[Tensor, "e p"],
    cores: Executor | None = None,
) -> NormalEquations:
    """Build the system for residuals weighted by `weights` (confidence times robust weight).

    Edges are worked through in groups that fit the processor's cache, side by side where `cores` are given; the
    result does not depend on how many those are.
    """
    groups = [slice(k, k + EDGES_AT_ONCE) for k in range(0, len(observations.source), EDGES_AT_ONCE)]

    def one(group: slice) -> tuple[Tensor, Tensor]:
        return _edge_blocks(observations, state, at, weights, group)

    found = list(map(one, groups) if cores is None else cores.map(one, groups))
    inner, mixed = (torch.cat(blocks) for blocks in zip(*found, strict=True))
    # The pose of the source acts through the relative pose: xi_j = -Ad(T_ij) xi_i.
    edges = len(observations.source)
    spread = torch.zeros(edges, 7, 13, dtype=inner.dtype)
    spread[:, :6, :6] = -_adjoint(at.relative)
    spread[:, range(6), range(6, 12)] = 1
    spread[:, 6, 12] = 1
    local = spread.mT @ inner[:, :7] @ spread
    slope = (spread.mT @ inner[:, 7, :, None]).squeeze(-1)
    hessian, gradient = _scatter(observations, local, slope)
    cross, index = _cross_block(observations, spread, mixed)
    depths = torch.zeros(2, observations.frames, mixed.shape[-1], dtype=inner.dtype)
    depths[0].index_add_(0, observations.source, mixed[:, 8])
    depths[1].index_add_(0, observations.source, mixed[:, 7])
    return NormalEquations(hessian, gradient, cross, index, depths[0], depths[1])


def _edge_blocks(
    observations: Observations, state: State, at: Residuals, weights: Tensor, group: slice
) -> tuple[Float[Tensor, "g 8 7"], Float[Tensor, "g 9 p"]]:
    """Products of the Jacobian's columns over a group of edges, summed over both coordinates.

    Columns: 6 pose of the target, 1 log focal, 1 residual, 1 inverse depth.

    Returns:
        Of the first eight with the first seven, summed over points; of all with the inverse depth, point by point.
    """
    u, v = _jacobian_rows(observations, state, at, group)
    w = weights[group, None]
    weighted_u, weighted_v = u * w, v * w
    inner = torch.bmm(weighted_u[:, :8], u[:, :7].mT).baddbmm_(weighted_v[:, :8], v[:, :7].mT)
    return inner, weighted_u.mul_(u[:, 8:]).add_(weighted_v.mul_(v[:, 8:]))


def _jacobian_rows(observations: Observations, state: State, at: Residuals, group: slice) -> tuple[Tensor, Tensor]:
    """Rows [g, 9, p] of both residual coordinates; columns as in `_edge_blocks`."""
    f, moved, relative = state.focal, at.moved[group], at.relative[group]
    z = moved[:, 2].clamp_min(NEAREST)
    x, y = moved[:, 0] / z, moved[:, 1] / z
    near = state.inverse_depth[observations.source[group]] / z
    xy = x * y
    t = relative[:, :3, 3, None] / z[:, None]
    # The ray itself depends on the focal length: d ray / d log f = (-ray_x, -ray_y, 0).
    ray = relative[:, :3, :2] @ (observations.centred / -f) / z[:, None]
    rows = []
    for k, (coordinate, turn) in enumerate(((x, (-xy, 1 + x * x, -y)), (y, (-1 - y * y, xy, x)))):
        row = z.new_zeros(len(z), 9, z.shape[1])
        row[:, k] = near
        torch.mul(near, -coordinate, out=row[:, 2])
        for place, column in enumerate(turn, start=3):
            row[:, place] = column
        row[:, 6] = coordinate + ray[:, k] - coordinate * ray[:, 2]
        row[:, 8] = t[:, k] - coordinate * t[:, 2]
        row *= f
        row[:, 7] = at.error[group, k]
        rows.append(row)
    return rows[0], rows[1]


def _adjoint(motion: Float[Tensor, "e 4 4"]) -> Float[Tensor, "e 6 6"]:
    """Ad(T): T exp(xi) T^-1 = exp(Ad(T) xi)."""
    R, t = motion[:, :3, :3], motion[:, :3, 3]
    return torch.cat([torch.cat([R, skew(t) @ R], -1), torch.cat([torch.zeros_like(R), R], -1)], -2)


def _scatter(observations: Observations, local: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Add every edge's block over (source pose, target pose, focal) into the whole system."""
    size = 6 * observations.frames + 1
    six = torch.arange(6)
    last = torch.full((len(observations.source), 1), size - 1)
    place = torch.cat([6 * observations.source[:, None] + six, 6 * observations.target[:, None] + six, last], 1)
    hessian = torch.zeros(size * size, dtype=local.dtype)
    hessian.index_add_(0, (place[:, :, None] * size + place[:, None, :]).flatten(), local.flatten())
    gradient = torch.zeros(size, dtype=local.dtype)
    gradient.index_add_(0, place.flatten(), slope.flatten())
    return hessian.view(size, size), gradient


def _cross_block(observations: Observations, spread: Tensor, mixed: Tensor) -> tuple[Tensor, Tensor]:
    """Mixed derivatives of each frame's depths with the few unknowns they touch, and which unknowns those are."""
    n, points = observations.frames, mixed.shape[-1]
    slots = int(observations.slots.max()) + 1
    size = 6 * n + 1
    poses = torch.zeros(n, slots + 1, 6, points, dtype=mixed.dtype)
    poses[:, 0].index_add_(0, observations.source, spread[:, :6, :6].mT @ mixed[:, :6])
    poses[observations.source, observations.slots + 1] = mixed[:, :6]
    focal = torch.zeros(n, 1, points, dtype=mixed.dtype)
    focal[:, 0].index_add_(0, observations.source, mixed[:, 6])
    index = torch.full((n, slots + 1, 6), size)
    six = torch.arange(6)
    index[:, 0] = 6 * torch.arange(n)[:, None] + six
    index[observations.source, observations.slots + 1] = 6 * observations.target[:, None] + six
    index = torch.cat([index.flatten(1), torch.full((n, 1), size - 1)], 1)
    return torch.cat([poses.flatten(1, 2), focal], 1), index
