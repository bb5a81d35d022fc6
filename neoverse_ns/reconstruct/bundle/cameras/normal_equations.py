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
from neoverse_ns.reconstruct.bundle.cameras.lens import distort, distort_slopes, undistort, undistort_slopes
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.state import LensUnknowns, State

NEAREST = 0.05
"""Points whose distance shrinks below this share of what it was in their source frame count as behind the target."""

ONE_FOCAL = LensUnknowns()
"""A pinhole with one focal length for all frames."""

EDGES_AT_ONCE = 16
"""Edges whose derivatives are held in memory at once, for each core."""


@dataclass(frozen=True)
class Residuals:
    """Reprojection error of every edge and grid point, and what its derivatives need.

    Attributes:
        error: Predicted minus seen position, image widths.
        moved: Point in the target camera, scaled by its inverse depth in the source.
        slopes: Of its ray there.
        seen: Where the lens shows that ray, in units of the focal length.
        front: Whether it lies in front of the target camera.
        relative: Source camera to target camera.
    """

    error: Float[Tensor, "e 2 p"]
    moved: Float[Tensor, "e 3 p"]
    slopes: Float[Tensor, "e 2 p"]
    seen: Float[Tensor, "e 2 p"]
    front: Float[Tensor, "e p"]
    relative: Float[Tensor, "e 4 4"]


@dataclass(frozen=True)
class NormalEquations:
    """Gauss-Newton system H x = -g over poses and lens, depths still separate.

    Attributes:
        hessian: Pose and lens block; rows 6 i .. 6 i + 5 belong to frame i, the last ones to the lens: the logarithm of
            the focal length or lengths, then the radial coefficient.
        gradient: Of the same unknowns.
        cross: Rows of the mixed block that concern each frame's depths: its own pose, the pose of the target of each of
            its edges, the lens.
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
    rays = torch.nn.functional.pad(undistort(_positions(observations, state), state.radial), (0, 0, 0, 1), value=1.0)
    moved = relative[:, :3, :3] @ rays + relative[:, :3, 3:] * state.inverse_depth[i][:, None]
    z = moved[:, 2:]
    slopes = moved[:, :2] / z.clamp_min(NEAREST)
    seen = distort(slopes, state.radial)
    predicted = state.focal[j][:, None, None] * seen + observations.centre[:, None]
    front = (z[:, 0] > NEAREST).to(z.dtype)
    return Residuals(predicted - observations.seen, moved, slopes, seen, front, relative)


def _positions(observations: Observations, state: State, edges: slice = slice(None)) -> Float[Tensor, "#e 2 p"]:
    """Grid points of each edge's source in units of its focal length; once for all edges where all frames share it."""
    if bool((state.focal == state.focal[0]).all()):
        return (observations.centred / state.focal[0])[None]
    return observations.centred / state.focal[observations.source[edges]][:, None, None]


def normal_equations(
    observations: Observations,
    state: State,
    at: Residuals,
    weights: Float[Tensor, "e p"],
    cores: Executor | None = None,
    lens: LensUnknowns = ONE_FOCAL,
) -> NormalEquations:
    """Build the system for residuals weighted by `weights` (confidence times robust weight).

    Edges are worked through in groups that fit the processor's cache, side by side where `cores` are given; the
    result does not depend on how many those are.
    """
    groups = [slice(k, k + EDGES_AT_ONCE) for k in range(0, len(observations.source), EDGES_AT_ONCE)]

    def one(group: slice) -> tuple[Tensor, Tensor]:
        return _edge_blocks(observations, state, at, weights, group, lens)

    found = list(map(one, groups) if cores is None else cores.map(one, groups))
    inner, mixed = (torch.cat(blocks) for blocks in zip(*found, strict=True))
    # The pose of the source acts through the relative pose: xi_j = -Ad(T_ij) xi_i.
    edges, columns = len(observations.source), lens.columns
    spread = torch.zeros(edges, 6 + columns, 12 + columns, dtype=inner.dtype)
    spread[:, :6, :6] = -_adjoint(at.relative)
    spread[:, range(6), range(6, 12)] = 1
    spread[:, range(6, 6 + columns), range(12, 12 + columns)] = 1
    local = spread.mT @ inner[:, : 6 + columns] @ spread
    slope = (spread.mT @ inner[:, 6 + columns, :, None]).squeeze(-1)
    hessian, gradient = _scatter(observations, local, slope, lens)
    cross, index = _cross_block(observations, spread, mixed, lens)
    depths = torch.zeros(2, observations.frames, mixed.shape[-1], dtype=inner.dtype)
    depths[0].index_add_(0, observations.source, mixed[:, -1])
    depths[1].index_add_(0, observations.source, mixed[:, -2])
    return NormalEquations(hessian, gradient, cross, index, depths[0], depths[1])


def _edge_blocks(
    observations: Observations, state: State, at: Residuals, weights: Tensor, group: slice, lens: LensUnknowns
) -> tuple[Float[Tensor, "g _ c"], Float[Tensor, "g _ p"]]:
    """Products of the Jacobian's columns over a group of edges, summed over both coordinates.

    Columns: c of pose of the target (6) and lens, 1 residual, 1 inverse depth.

    Returns:
        Of the first c + 1 with the first c, summed over points; of all with the inverse depth, point by point.
    """
    u, v = _jacobian_rows(observations, state, at, group, lens)
    known = 6 + lens.columns
    w = weights[group, None]
    weighted_u, weighted_v = u * w, v * w
    inner = torch.bmm(weighted_u[:, : known + 1], u[:, :known].mT)
    inner.baddbmm_(weighted_v[:, : known + 1], v[:, :known].mT)
    return inner, weighted_u.mul_(u[:, -1:]).add_(weighted_v.mul_(v[:, -1:]))


def _jacobian_rows(
    observations: Observations, state: State, at: Residuals, group: slice, lens: LensUnknowns
) -> tuple[Tensor, Tensor]:
    """Rows [g, 6 + lens + 2, p] of both residual coordinates; columns as in `_edge_blocks`."""
    moved, relative = at.moved[group], at.relative[group]
    z = moved[:, 2].clamp_min(NEAREST)
    x, y = moved[:, 0] / z, moved[:, 1] / z
    near = state.inverse_depth[observations.source[group]] / z
    xy = x * y
    t = relative[:, :3, 3, None] / z[:, None]
    # The ray itself depends on the lens of the source.
    by_focal, by_radial = undistort_slopes(_positions(observations, state, group), state.radial)
    turned = relative[:, :3, :2]
    ray = turned @ by_focal / z[:, None]
    bent = turned @ by_radial / z[:, None] if lens.radial else ray
    rows = []
    for k, (coordinate, turn) in enumerate(((x, (-xy, 1 + x * x, -y)), (y, (-1 - y * y, xy, x)))):
        row = z.new_zeros(len(z), 8 + lens.columns, z.shape[1])
        row[:, k] = near
        torch.mul(near, -coordinate, out=row[:, 2])
        for place, column in enumerate(turn, start=3):
            row[:, place] = column
        row[:, 6] = ray[:, k] - coordinate * ray[:, 2]
        if lens.radial:
            row[:, 5 + lens.columns] = bent[:, k] - coordinate * bent[:, 2]
        row[:, -1] = t[:, k] - coordinate * t[:, 2]
        rows.append(row)
    focal = state.focal[observations.target[group], None, None]
    if float(state.radial) != 0.0 or lens.radial:
        by_slope, by_coefficient = distort_slopes(at.slopes[group], at.seen[group], state.radial)
        u, v = rows
        rows = [by_slope[:, k, 0, None] * u + by_slope[:, k, 1, None] * v for k in (0, 1)]
        if lens.radial:
            for k, row in enumerate(rows):
                row[:, 5 + lens.columns] += by_coefficient[:, k]
    for k, row in enumerate(rows):
        # A longer focal length of the target moves what it sees outwards.
        row[:, 6 + lens.zoom] += at.seen[group, k]
        row *= focal
        row[:, -2] = at.error[group, k]
    return rows[0], rows[1]


def _adjoint(motion: Float[Tensor, "e 4 4"]) -> Float[Tensor, "e 6 6"]:
    """Ad(T): T exp(xi) T^-1 = exp(Ad(T) xi)."""
    R, t = motion[:, :3, :3], motion[:, :3, 3]
    return torch.cat([torch.cat([R, skew(t) @ R], -1), torch.cat([torch.zeros_like(R), R], -1)], -2)


def _scatter(observations: Observations, local: Tensor, slope: Tensor, lens: LensUnknowns) -> tuple[Tensor, Tensor]:
    """Add every edge's block over (source pose, target pose, lens) into the whole system."""
    size = 6 * observations.frames + lens.count(observations.frames)
    six = torch.arange(6)
    places = [6 * observations.source[:, None] + six, 6 * observations.target[:, None] + six, lens.index(observations)]
    place = torch.cat(places, 1)
    hessian = torch.zeros(size * size, dtype=local.dtype)
    hessian.index_add_(0, (place[:, :, None] * size + place[:, None, :]).flatten(), local.flatten())
    gradient = torch.zeros(size, dtype=local.dtype)
    gradient.index_add_(0, place.flatten(), slope.flatten())
    return hessian.view(size, size), gradient


def _cross_block(
    observations: Observations, spread: Tensor, mixed: Tensor, lens: LensUnknowns
) -> tuple[Tensor, Tensor]:
    """Mixed derivatives of each frame's depths with the few unknowns they touch, and which unknowns those are."""
    n, points = observations.frames, mixed.shape[-1]
    slots = int(observations.slots.max()) + 1
    size = 6 * n + lens.count(n)
    # A frame's own pose first, then what belongs to the target of each of its edges: pose and, with zoom, focal length.
    width = 6 + lens.zoom
    rows = torch.zeros(n, slots + 1, width, points, dtype=mixed.dtype)
    index = torch.full((n, slots + 1, width), size)
    rows[:, 0, :6].index_add_(0, observations.source, spread[:, :6, :6].mT @ mixed[:, :6])
    rows[observations.source, observations.slots + 1, :6] = mixed[:, :6]
    six = torch.arange(6)
    index[:, 0, :6] = 6 * torch.arange(n)[:, None] + six
    index[observations.source, observations.slots + 1, :6] = 6 * observations.target[:, None] + six
    if lens.zoom:
        rows[:, 0, 6].index_add_(0, observations.source, mixed[:, 6])
        rows[observations.source, observations.slots + 1, 6] = mixed[:, 7]
        index[:, 0, 6] = 6 * n + torch.arange(n)
        index[observations.source, observations.slots + 1, 6] = 6 * n + observations.target
    # What all frames share.
    shared = [6 + k for k in range(lens.columns) if not (lens.zoom and k < 2)]
    common = torch.zeros(n, len(shared), points, dtype=mixed.dtype)
    common.index_add_(0, observations.source, mixed[:, shared])
    last = torch.arange(size - len(shared), size).expand(n, -1)
    return torch.cat([rows.flatten(1, 2), common], 1), torch.cat([index.flatten(1), last], 1)
