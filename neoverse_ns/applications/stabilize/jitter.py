"""How much a camera shakes: what of its motion a Gaussian in time smooths away."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.geometry.se3 import so3_log
from neoverse_ns.trajectory.stabilise import stabilise_cameras

SECONDS = 0.25
"""Standard deviation of the low-pass that tells shake from motion: half of a sway at 0.75 hertz counts as shake, nearly
all of one at 1.5, and an even motion not at all."""


@dataclass(frozen=True)
class Jitter:
    """Root mean square over the frames of what the low-pass takes away.

    Attributes:
        degrees: Of rotation.
        percent: Of position, in per cent of the depth given.
        pixels: Of where things at that depth are in the picture, over nine places of it.
    """

    degrees: float
    percent: float
    pixels: float

    def __str__(self) -> str:
        return f"{self.degrees:.3f} degrees, {self.percent:.2f} % of depth, {self.pixels:.2f} pixels"


def jitter_of(cameras: PinholeCameras, seconds: Float[Tensor, " n"], depth: float, low_pass: float = SECONDS) -> Jitter:
    """Measure it.

    Args:
        cameras: In order of time.
        seconds: When.
        depth: Of what they typically see, world units.
        low_pass: Standard deviation of the Gaussian, seconds.
    """
    cameras = PinholeCameras(cameras.c2w.double().cpu(), cameras.K.double().cpu(), cameras.width, cameras.height)
    calm = stabilise_cameras(cameras, low_pass, seconds)
    turned = so3_log(calm.c2w[:, :3, :3].mT @ cameras.c2w[:, :3, :3])
    moved = cameras.c2w[:, :3, 3] - calm.c2w[:, :3, 3]
    return Jitter(
        degrees=_rms(torch.rad2deg(turned)),
        percent=100 * _rms(moved) / depth,
        pixels=_rms((shown_at(cameras, calm, depth) - _places(cameras)).flatten(0, 1)),
    )


def shown_at(cameras: PinholeCameras, others: PinholeCameras, depth: float) -> Float[Tensor, "n 9 2"]:
    """Where `cameras` show what `others` show at nine places of their pictures, from corner to corner, at a depth."""
    places = _places(others)
    rays = torch.cat([places, torch.ones_like(places[..., :1])], dim=-1) @ torch.linalg.inv(others.K).mT
    points = depth * rays @ others.c2w[:, :3, :3].mT + others.c2w[:, None, :3, 3]
    return project(points, torch.linalg.inv(cameras.c2w), cameras.K)[0]


def _places(cameras: PinholeCameras) -> Float[Tensor, "n 9 2"]:
    size = torch.tensor([cameras.width, cameras.height], dtype=torch.float64)
    grid = torch.cartesian_prod(*[torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)] * 2) * size
    return grid.expand(len(cameras), -1, -1)


def _rms(vectors: Float[Tensor, "n d"]) -> float:
    return float(vectors.square().sum(dim=-1).mean().sqrt())
