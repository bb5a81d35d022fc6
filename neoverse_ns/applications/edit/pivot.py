"""The middle of a selected thing over time: what it turns and grows about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians


@dataclass(frozen=True)
class Pivot:
    """A point that moves from keyframe to keyframe on straight lines.

    Attributes:
        times: Normalised, ascending.
        points: World units.
    """

    times: Float64[Tensor, " k"]
    points: Float64[Tensor, "k 3"]

    def at(self, time: Float[Tensor, " n"]) -> Float64[Tensor, "n 3"]:
        """Where it is; before the first and after the last time it stands still."""
        when = time.to(torch.float64).cpu()
        if len(self.times) == 1:
            return self.points.expand(len(when), 3)
        upper = torch.searchsorted(self.times, when).clamp(1, len(self.times) - 1)
        start, end = self.times[upper - 1], self.times[upper]
        share = ((when - start) / (end - start)).clamp(0, 1)[:, None]
        return torch.lerp(self.points[upper - 1], self.points[upper], share)

    @property
    def middle(self) -> Pivot:
        """The same for all times: half way between its extremes along each axis."""
        point = 0.5 * (self.points.amin(dim=0) + self.points.amax(dim=0))
        return Pivot(self.times[:1], point[None])


def pivot_of(scene: LayeredGaussians, rows: Mapping[str, Bool[Tensor, " n"]]) -> Pivot:
    """The middle of the chosen Gaussians over time.

    From keyframe to keyframe it moves as their median does. So it does not jump where parts of the thing are hidden,
    as the mean of what is seen would.

    Raises:
        SettingsError: No Gaussians are chosen.
    """
    layers = [scene[name][rows[name].to(scene.device)] for name in scene if name in rows and bool(rows[name].any())]
    if not layers:
        raise SettingsError("nothing is selected that could be moved")
    moving = scene.frames[rows[FRAMES].to(scene.device)] if FRAMES in rows else scene.frames[:0]
    if len(moving) == 0 or not bool(moving.dynamic.any()):
        return Pivot(torch.zeros(1, dtype=torch.float64), middle(torch.cat([layer.means for layer in layers]))[None])
    return _followed(moving)


def middle(points: Float[Tensor, "m 3"]) -> Float64[Tensor, "3"]:
    """Per axis half way between what lies 10 % from either side."""
    low, high = torch.quantile(points.detach().double().cpu(), torch.tensor([0.1, 0.9], dtype=torch.float64), dim=0)
    return 0.5 * (low + high)


def _followed(moving: DynamicGaussians) -> Pivot:
    times, number = torch.unique(moving.interval[:, 1].double().cpu(), return_inverse=True)
    velocities = moving.velocities.detach().double().cpu()
    steps = [torch.zeros(3, dtype=torch.float64)]
    for k in range(len(times) - 1):
        ahead, back = velocities[number == k, 0], velocities[number == k + 1, 1]
        steps.append(torch.cat([ahead, -back]).median(dim=0).values * _gap_share(moving, times, number, k))
    way = torch.stack(steps).cumsum(dim=0)
    means = moving.means.detach().double().cpu()
    counts = torch.bincount(number, minlength=len(times)).double()
    middles = torch.stack([middle(means[number == k]) for k in range(len(times))])
    # Keyframes that show much of the thing say best where its middle is.
    start = ((middles - way) * counts[:, None]).sum(dim=0) / counts.sum()
    return Pivot(times, start + way)


def _gap_share(moving: DynamicGaussians, times: Tensor, number: Tensor, k: int) -> float:
    """How often a keyframe's gap fits between two keyframes that have the thing: more than once where some lack it."""
    after = float(moving.interval[number == k, 2].double().median())
    gap = after - float(times[k])
    return float(times[k + 1] - times[k]) / gap if gap > 0 else 1.0
