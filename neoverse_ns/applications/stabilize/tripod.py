"""The one place from which a clip can be shown whole."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.applications.stabilize.borders import at_edge, largest_part
from neoverse_ns.applications.stabilize.jitter import shown_at
from neoverse_ns.console import progress
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import assemble, so3_exp, so3_log
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.render.pictures import SURFACE
from neoverse_ns.trajectory.trajectory import Trajectory

MOST_PLACES, MOMENTS = 24, 5
"""Frames whose cameras are tried, beside the mean of all; moments at which each is looked through."""
SIZE = 160
"""Longer side of the pictures looked at, pixels."""
AS_GOOD = 0.02
"""Difference of what is cut away up to which two places are equally good, and the more central one is taken."""


def tripod(scene: ExportScene, path: Trajectory) -> PinholeCameras:
    """The camera, one like the other for every frame, from which the least must be cut away.

    Of those where hardly more must be the one is taken that the clip's pictures have to move least for.

    Args:
        scene: What is drawn.
        path: The clip's cameras and moments.
    """
    places = _places(path.cameras)
    unseen = _unseen(scene, path, places)
    cuts = torch.tensor([largest_part(at_edge(mask), 1.0).cut for mask in unseen], dtype=torch.float64)
    moves = _moves(path.cameras, places, scene.surroundings.median_depth(len(path) // 2))
    good = cuts <= cuts.min() + AS_GOOD
    best = int(torch.where(good, moves, torch.inf).argmin())
    return places[[best] * len(path)]


def mean_camera(cameras: PinholeCameras) -> PinholeCameras:
    """Mean place and direction, and the mean lens by ratio."""
    c2w, K = cameras.c2w.double(), cameras.K.double().mean(dim=0, keepdim=True)
    R = c2w[len(c2w) // 2, :3, :3]
    for _ in range(10):
        R = R @ so3_exp(so3_log(R.mT @ c2w[:, :3, :3]).mean(dim=0))
    for row in (0, 1):
        K[0, row, row] = cameras.K[:, row, row].double().log().mean().exp()
    mean = assemble(R, c2w[:, :3, 3].mean(dim=0))[None]
    return PinholeCameras(mean.to(cameras.c2w), K.to(cameras.K), cameras.width, cameras.height)


def _places(cameras: PinholeCameras) -> PinholeCameras:
    """Those that are tried: the mean first."""
    mean = mean_camera(cameras)
    chosen = torch.linspace(0, len(cameras) - 1, min(len(cameras), MOST_PLACES)).round().long()
    c2w, K = torch.cat([mean.c2w, cameras.c2w[chosen]]), torch.cat([mean.K, cameras.K[chosen]])
    return PinholeCameras(c2w, K, cameras.width, cameras.height)


def _unseen(scene: ExportScene, path: Trajectory, places: PinholeCameras) -> Bool[Tensor, "places h w"]:
    """Pixels without a surface from every place, at any of some moments."""
    moments = path.times[torch.linspace(0, len(path) - 1, min(len(path), MOMENTS)).round().long()]
    scale = min(1.0, SIZE / max(places.width, places.height))
    small = Trajectory(places, torch.zeros(len(places))).resized(
        max(round(scale * places.width), 1), max(round(scale * places.height), 1), "all"
    )
    unseen = torch.zeros(len(places), small.cameras.height, small.cameras.width, dtype=torch.bool)
    with progress("choosing where to put the tripod", len(moments)) as steps:
        for time in moments.tolist():
            views = views_along(scene.gaussians, small.cameras, torch.full((len(places),), time), scene.options)
            for i, view in enumerate(views):
                unseen[i] |= view.seen[0, ..., 0].cpu() < SURFACE
            steps.advance()
    return unseen


def _moves(cameras: PinholeCameras, places: PinholeCameras, depth: float) -> Float[Tensor, " places"]:
    """How far the clip's pictures shift, root mean square in pixels, when they are seen from every place."""
    own = PinholeCameras(cameras.c2w.double(), cameras.K.double(), cameras.width, cameras.height)
    before, shifts = shown_at(own, own, depth), []
    for i in range(len(places)):
        place = PinholeCameras(places.c2w[[i]].double(), places.K[[i]].double(), places.width, places.height)
        there = shown_at(place[[0] * len(own)], own, depth)
        shifts.append((there - before).square().sum(dim=-1).mean().sqrt())
    return torch.stack(shifts)
