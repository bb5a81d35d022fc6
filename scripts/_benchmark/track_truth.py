"""Where points of a synthetic clip truly are, in every frame, and when they are seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from neoverse_ns.applications.track.queries import Queries
from neoverse_ns.clip.synthetic.render import camera_rays, cast, render_truth
from neoverse_ns.clip.synthetic.solids import Solid
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project

CLEAR = 1e-4
"""How much nearer than a point, as a share of its distance, something must be to hide it."""


@dataclass(frozen=True)
class TrackTruth:
    """What is true of points.

    Attributes:
        queries: As they are given.
        uv: Places in pixels.
        in_cameras: Places in each frame's camera, true units.
        visible: When they are seen.
        thing: What they are a part of; 0 for what is still.
    """

    queries: Queries
    uv: Float64[Tensor, "n p 2"]
    in_cameras: Float64[Tensor, "n p 3"]
    visible: Bool[Tensor, "n p"]
    thing: Int64[Tensor, " p"]


def choose_points(
    solids: list[Solid],
    cameras: PinholeCameras,
    time_of: Callable[[int], float],
    frames: list[int],
    still: int,
    moving: int,
) -> Queries:
    """Points of some frames on an even lattice: every `still` pixels on what is still, every `moving` on what moves."""
    found, homes = [], []
    for frame in frames:
        _, things = render_truth(solids, time_of(frame), cameras[[frame]])
        for spacing, wanted in ((still, things == 0), (moving, things > 0)):
            lattice = torch.zeros_like(wanted)
            lattice[spacing // 2 :: spacing, spacing // 2 :: spacing] = True
            rows, columns = (lattice & wanted).nonzero().unbind(1)
            found.append(torch.stack([columns, rows], 1) + 0.5)
            homes.append(torch.full((len(rows),), frame))
    return Queries(torch.cat(found), torch.cat(homes))


def true_tracks(
    solids: list[Solid], cameras: PinholeCameras, time_of: Callable[[int], float], queries: Queries
) -> TrackTruth:
    """Every point goes with the solid that its pixel shows.

    Args:
        solids: The world.
        cameras: One per frame, float64.
        time_of: Of a frame, in [0, 1].
        queries: The points; pixel centres.
    """
    count = len(cameras)
    local, solid = torch.zeros(len(queries), 3, dtype=torch.float64), torch.zeros(len(queries), dtype=torch.int64)
    poses = torch.stack([torch.stack([s.pose(time_of(n)) for s in solids]) for n in range(count)])
    for frame in queries.frame.unique().tolist():
        rows = (queries.frame == frame).nonzero()[:, 0]
        origin, directions = camera_rays(cameras[[frame]])
        column, row = queries.xy[rows].long().unbind(1)
        rays = directions[row * cameras.width + column]
        hits = cast(solids, time_of(frame), origin, rays)
        solid[rows] = hits.solid
        pose = poses[frame, hits.solid]
        away = origin + rays * hits.depth[:, None] - pose[:, :3, 3]
        local[rows] = (pose[:, :3, :3].mT @ away[..., None])[..., 0]
    chosen = poses[:, solid]
    world = (chosen[..., :3, :3] @ local[..., None])[..., 0] + chosen[..., :3, 3]
    uv, z = project(world, cameras.viewmats, cameras.K)
    visible = (uv >= 0).all(-1) & (uv[..., 0] < cameras.width) & (uv[..., 1] < cameras.height) & (z > 0)
    for n in range(count):
        origin = cameras.c2w[n, :3, 3]
        visible[n] &= cast(solids, time_of(n), origin, world[n] - origin).depth > 1 - CLEAR
    w2c = cameras.viewmats
    seen = world @ w2c[:, :3, :3].mT + w2c[:, None, :3, 3]
    things = torch.tensor([s.thing for s in solids])[solid]
    return TrackTruth(queries, uv, seen, visible, things)
