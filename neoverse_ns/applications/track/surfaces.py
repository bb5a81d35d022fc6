"""How far points are that are known in the picture, and which of them something hides."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from numpy import ndarray
from torch import Tensor

from neoverse_ns.applications.track.follow import Paths
from neoverse_ns.applications.track.local_motion import sample
from neoverse_ns.applications.track.views import SceneViews
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project

AROUND = 1.5
"""Standard deviation in pixels over which a thing's depth is averaged: that at its very edge is mixed with others'."""
OWN = 0.3
"""Share of the 3 x 3 pixels around a point that must show its thing for it to be seen."""
EDGE_ON = 0.1
"""Share of its area in the frame it was given in below which a point's surroundings have turned away."""


def lifted(
    uv: Float[Tensor, "*n p 2"], z: Float[Tensor, "*n p"], c2w: Float[Tensor, "*n 4 4"], K: Float[Tensor, "*n 3 3"]
) -> Float[Tensor, "*n p 3"]:
    """World points at z-depths `z` behind pixels of one camera, or of a batch of them."""
    focal = torch.stack([K[..., 0, 0], K[..., 1, 1]], -1)[..., None, :]
    plane = (uv - K[..., None, :2, 2]) / focal
    seen = torch.cat([plane, torch.ones_like(z)[..., None]], -1) * z[..., None]
    return seen @ c2w[..., :3, :3].mT + c2w[..., None, :3, 3]


def still_points(
    xy: Float[Tensor, "p 2"], frame: Int64[Tensor, " p"], views: SceneViews, tolerance: float
) -> tuple[Float[Tensor, "n p 2"], Float[Tensor, "p 3"], Bool[Tensor, "n p"]]:
    """Points that stand still in the world: where frames see them, where they are, and when they are seen."""
    cameras, world = views.cameras, xy.new_zeros(len(xy), 3)
    for home in frame.unique().tolist():
        rows = (frame == home).nonzero()[:, 0]
        z = _at(views.depth[home], xy[rows])
        world[rows] = lifted(xy[rows], z, cameras.c2w[home].to(xy), cameras.K[home].to(xy))
    uv, z = project(world, cameras.viewmats.to(xy), cameras.K.to(xy))
    inside = in_picture(uv, cameras) & (z > 0)
    drawn = torch.stack([_at(depth, place) for depth, place in zip(views.depth, uv, strict=True)])
    visible = inside & (z <= drawn * (1 + tolerance))
    visible[frame, torch.arange(len(frame))] = True
    return uv, world, visible


def in_picture(uv: Float[Tensor, "*n 2"], cameras: PinholeCameras) -> Bool[Tensor, "*n"]:
    """Which places lie in the picture."""
    return (uv >= 0).all(-1) & (uv[..., 0] < cameras.width) & (uv[..., 1] < cameras.height)


def moving_points(
    paths: Paths, frame: Int64[ndarray, " p"], thing: Int64[ndarray, " p"], views: SceneViews
) -> tuple[Float[ndarray, "n p"], Bool[ndarray, "n p"]]:
    """z-depth of points of moving things in every frame, and when they are seen.

    Where a point is seen, it lies on its thing's surface as drawn. While it is hidden, its depth goes evenly from where
    it was last seen to where it is seen again.
    """
    count, points = paths.doubt.shape
    depth, known = np.zeros((count, points)), np.zeros((count, points), bool)
    visible = np.zeros((count, points), bool)
    turned = np.abs(np.linalg.det(paths.bend)) > EDGE_ON
    for number in np.unique(thing).tolist():
        rows = np.nonzero(thing == number)[0]
        for n in range(count):
            inside = (views.things[n] == number).numpy().astype(np.float32)
            if not inside.any():
                continue
            share = cv2.GaussianBlur(inside, (0, 0), AROUND)
            mean = cv2.GaussianBlur(inside * views.depth[n].numpy(), (0, 0), AROUND) / share.clip(1e-6)
            values = np.stack([mean, cv2.blur(inside, (3, 3)), share], -1)
            found = sample(values, paths.uv[n, rows])
            depth[n, rows], known[n, rows] = found[:, 0], found[:, 2] > OWN
            visible[n, rows] = (found[:, 1] > OWN) & turned[n, rows]
    visible &= in_picture(torch.from_numpy(paths.uv), views.cameras).numpy()
    visible[frame, np.arange(points)] = True
    for point in range(points):
        _bridge(depth[:, point], known[:, point] & visible[:, point], int(frame[point]), views, paths.uv[:, point])
    return depth, visible


def _bridge(
    depth: Float[ndarray, " n"], known: Bool[ndarray, " n"], home: int, views: SceneViews, uv: Float[ndarray, "n 2"]
) -> None:
    """Fill in the depth where it is not known, evenly in its logarithm."""
    if not known.any():
        depth[:] = float(_at(views.depth[home], torch.from_numpy(uv[home : home + 1]))[0])
        return
    frames = np.arange(len(depth))
    depth[~known] = np.exp(np.interp(frames[~known], frames[known], np.log(depth[known])))


def _at(picture: Float[Tensor, "h w"], xy: Float[Tensor, "m 2"]) -> Float[Tensor, " m"]:
    """Values of a picture at places, interpolated linearly."""
    values = sample(picture[..., None].numpy().astype(np.float64), xy.double().numpy())
    return torch.from_numpy(values[:, 0]).to(xy)
