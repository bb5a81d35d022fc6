"""Inverse depths of grid points from flow between cameras that are known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.reconstruct.bundle.cameras.observations import Observations

ROUNDS = 12
"""Reweighted Gauss-Newton steps."""
MEASURED = 2.0
"""Pixels by which a point must shift between the views, their root sum of squares, for its depth to count as measured:
flow is off by about half a pixel, so that an inverse depth is then known to a quarter."""


@dataclass(frozen=True)
class Structure:
    """What flow says of the points, the cameras being what they are.

    Attributes:
        inverse_depth: Of every grid point of every frame, at least 0; 0 where nothing is seen of it elsewhere.
        precision: Of each, in confident squared pixels per unit of inverse depth.
        error: Length of the reprojection error, pixels.
        error_far: The same with every point infinitely far.
    """

    inverse_depth: Float64[Tensor, "n p"]
    precision: Float64[Tensor, "n p"]
    error: Float64[Tensor, "e p"]
    error_far: Float64[Tensor, "e p"]

    def typical(self) -> float | None:
        """Median inverse depth of what is measured; None where hardly anything is."""
        sure = self.precision.sqrt() * self.inverse_depth > MEASURED
        known = self.inverse_depth[sure]
        return float(known.median()) if len(known) >= self.inverse_depth.shape[1] / 10 else None

    def rough(self) -> float | None:
        """Weighted median of all inverse depths above 0, however badly they are known; None where there are none."""
        keep = (self.inverse_depth > 0) & (self.precision > 0)
        if not bool(keep.any()):
            return None
        values, weights = self.inverse_depth[keep], self.precision[keep].sqrt()
        order = values.argsort()
        cumulative = weights[order].cumsum(0)
        place = int(torch.searchsorted(cumulative, 0.5 * cumulative[-1]).clamp_max(len(order) - 1))
        return float(values[order][place])


def triangulate(
    observations: Observations,
    poses: Float64[Tensor, "n 4 4"],
    lens: Float64[Tensor, "n 3 3"],
    kernel: tuple[float, float],
) -> Structure:
    """Find the inverse depth of every grid point that explains its flow best, with a Cauchy kernel that narrows.

    Args:
        observations: Flow of all pairs.
        poses: World-to-camera, of any unit.
        lens: See :class:`neoverse_ns.reconstruct.bundle.cameras.given.GivenCameras`.
        kernel: Width in pixels of the robust kernel in the first and the last round.
    """
    base, shift, seen = _lines(observations, poses, lens)
    width = observations.width

    def per_point(values: Float[Tensor, "e p"]) -> Float64[Tensor, "n p"]:
        sums = values.new_zeros(observations.frames, values.shape[1])
        return sums.index_add_(0, observations.source, values)

    # Two equations in d per view: seen (base_z + d shift_z) = base_xy + d shift_xy.
    rest = width * (base[:, :2] - seen * base[:, 2:])
    slope = width * (seen * shift[:, 2:] - shift[:, :2])
    trust = observations.weights
    precision = per_point(trust * slope.square().sum(1))
    d = per_point(trust * (rest * slope).sum(1)) / precision.clamp_min(1e-12)
    d = torch.where(precision > 0, d, torch.zeros_like(d)).clamp_min(0)
    for round_ in range(ROUNDS):
        sigma = kernel[0] + (kernel[1] - kernel[0]) * min(1.0, 2 * round_ / ROUNDS)
        error, slope = _residuals(observations, base, shift, seen, d)
        trust = observations.weights / (1 + error.square().sum(1) / sigma**2)
        precision = per_point(trust * slope.square().sum(1))
        step = per_point(trust * (error * slope).sum(1)) / precision.clamp_min(1e-12)
        # No step leads beyond the camera, nor more than three times as near at once.
        d = torch.where(precision > 0, torch.minimum((d - step).clamp_min(0), 3 * d + _little(d)), d)
    error = _residuals(observations, base, shift, seen, d)[0].norm(dim=1)
    far = _residuals(observations, base, shift, seen, torch.zeros_like(d))[0].norm(dim=1)
    return Structure(d, precision, error, far)


def largest_angles(
    observations: Observations, poses: Tensor, lens: Tensor, inverse_depth: Float64[Tensor, "n p"]
) -> Float64[Tensor, "n p"]:
    """The largest angle in degrees between the rays from which each point is seen with trust; 0 where it is not."""
    rays = _rays(observations, lens)
    relative = poses[observations.target] @ torch.linalg.inv(poses[observations.source])
    centres = -torch.einsum("eba,eb->ea", relative[:, :3, :3], relative[:, :3, 3])
    point = rays[observations.source]
    other = point - inverse_depth[observations.source][:, None] * centres[:, :, None]
    cross, dot = torch.linalg.cross(point, other, dim=1).norm(dim=1), (point * other).sum(1)
    angle = torch.rad2deg(torch.atan2(cross, dot)) * (observations.weights > 0.5)
    result = torch.zeros_like(inverse_depth)
    for edge, source in enumerate(observations.source.tolist()):
        result[source] = torch.maximum(result[source], angle[edge])
    return result


def _rays(observations: Observations, lens: Tensor) -> Float64[Tensor, "n 3 p"]:
    one = torch.ones_like(observations.centred[:1])
    return torch.linalg.inv(lens) @ torch.cat([observations.centred, one])


def _lines(observations: Observations, poses: Tensor, lens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where a point of inverse depth d is seen: at base + d shift, up to scale; and where flow saw it."""
    relative = poses[observations.target] @ torch.linalg.inv(poses[observations.source])
    base = relative[:, :3, :3] @ _rays(observations, lens)[observations.source]
    glass = lens[observations.target]
    seen = observations.seen - observations.centre[:, None]
    return glass @ base, glass @ relative[:, :3, 3:], seen


def _residuals(
    observations: Observations, base: Tensor, shift: Tensor, seen: Tensor, d: Tensor
) -> tuple[Float64[Tensor, "e 2 p"], Float64[Tensor, "e 2 p"]]:
    """Errors in pixels and their derivatives by inverse depth."""
    point = base + d[observations.source][:, None] * shift
    z = point[:, 2:].clamp_min(0.02)
    position = point[:, :2] / z
    slope = (shift[:, :2] - position * shift[:, 2:]) / z
    return observations.width * (position - seen), observations.width * slope


def _little(d: Tensor) -> Tensor:
    """A hundredth of the typical inverse depth, so that what starts at 0 can leave it."""
    known = d[d > 0]
    return 0.01 * known.median() if len(known) else torch.ones((), dtype=d.dtype)
