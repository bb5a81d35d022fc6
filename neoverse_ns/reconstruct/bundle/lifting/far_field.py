"""The far field behind everything: what a new camera sees where no keyframe showed any surface."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.dynamic import DynamicGaussians, constant_gaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import pixel_centres, unproject
from neoverse_ns.geometry.quaternions import from_matrix
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.depth.dense_solver import fill

STRIDE = 4
"""Spacing of its Gaussians in pixels; the images' sides are multiples of it."""
MARGIN = 0.5
"""How far it reaches beyond the middle keyframe's image on every side, as a share of the image's width."""
BEHIND = 1.5
"""Its distance as a multiple of the greatest depth there is: parallax moves it less than anything seen."""
WIDTH = 0.75
"""Standard deviation of its Gaussians in units of their spacing: they overlap, so that nothing shows through."""
OPACITY = 0.95


def far_field(clip: Clip, geometry: SceneGeometry) -> DynamicGaussians:
    """Large soft Gaussians on a plane behind the scene, facing the camera of the middle keyframe.

    In every direction they have the mean colour of the keyframes' static pixels there: sky goes on as sky, and behind
    what hides it there is a mixture of its surroundings. Directions in which no keyframe looked take a smooth
    continuation of those nearby.

    Args:
        clip: The frames; only the keyframes' pixels are read.
        geometry: Cameras, depth and motion masks of the keyframes.

    Returns:
        Constant Gaussians.
    """
    view = _wide_view(geometry)
    sums = _gather(clip, geometry, view)
    mean, known = sums[..., :3] / sums[..., 3:].clamp_min(1.0), (sums[..., 3] > 0).to(sums.dtype)
    colour = torch.stack([fill(channel, known) for channel in mean.unbind(-1)], -1)
    depth = geometry.depth if clip.ignored is None else geometry.depth[~clip.ignored[geometry.keyframes]]
    distance = BEHIND * float(depth.max())
    means = unproject(torch.full_like(known, distance), view.K[0], view.c2w[0]).reshape(-1, 3)
    count = len(means)
    return constant_gaussians(
        means,
        from_matrix(view.c2w[0, :3, :3]).expand(count, 4).contiguous(),
        torch.full((count, 3), math.log(WIDTH * distance / float(view.K[0, 0, 0]))),
        OPACITY,
        colour.reshape(-1, 3),
    )


def _wide_view(geometry: SceneGeometry) -> PinholeCameras:
    """The middle keyframe's camera with pixels `STRIDE` times as large and `MARGIN` on every side."""
    cameras, middle = geometry.cameras, geometry.keyframes[len(geometry.keyframes) // 2]
    margin = math.ceil(MARGIN * cameras.width / STRIDE)
    K = cameras.K[[middle]].clone()
    K[:, :2] /= STRIDE
    K[:, :2, 2] += margin
    width, height = cameras.width // STRIDE + 2 * margin, cameras.height // STRIDE + 2 * margin
    return PinholeCameras(cameras.c2w[[middle]], K, width, height)


def _gather(clip: Clip, geometry: SceneGeometry, view: PinholeCameras) -> Float[Tensor, "h w 4"]:
    """Sums of the colours in every direction, and how many there are."""
    sums = torch.zeros(view.height * view.width, 4)
    pixels = pixel_centres(clip.height, clip.width)
    for number, frame in enumerate(geometry.keyframes):
        K = geometry.cameras.K[frame]
        rays = torch.cat([(pixels - K[:2, 2]) / K[[0, 1], [0, 1]], torch.ones_like(pixels[..., :1])], -1)
        rays = rays @ (view.c2w[0, :3, :3].T @ geometry.cameras.c2w[frame, :3, :3]).T
        cell = rays[..., :2] / rays[..., 2:].clamp_min(1e-6) * view.K[0, [0, 1], [0, 1]] + view.K[0, :2, 2]
        inside = (rays[..., 2] > 0) & (cell >= 0).all(-1) & (cell < torch.tensor([view.width, view.height])).all(-1)
        inside &= ~geometry.dynamic[number]
        if clip.ignored is not None:
            inside &= ~clip.ignored[frame]
        x, y = cell[inside].long().unbind(-1)
        colours = clip.frames[frame][inside].to(torch.float32) / 255
        sums.index_add_(0, y * view.width + x, torch.cat([colours, torch.ones_like(colours[:, :1])], -1))
    return sums.view(view.height, view.width, 4)
