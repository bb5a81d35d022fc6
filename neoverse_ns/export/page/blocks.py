"""A scene's Gaussians in the order in which a page keeps them: block by block, each of one layer and one lifetime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from neoverse_ns.export.page.view_colours import plain_colours
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import LAYERS
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at

FAINT = 1 / 255
"""Opacity below which nothing is ever drawn."""
MUCH_NEARER = 0.5
"""Share of its distance from the middle camera at which another camera becomes a constant Gaussian's own."""
MOST_ORIGINS = 12
"""Cameras among which constant Gaussians choose."""


@dataclass(frozen=True)
class Block:
    """Gaussians that share everything but their own values.

    Attributes:
        layer: Number of their layer, 0 in front.
        interval: Times `t_prev, t, t_next` of their life; means nothing where they are constant.
        dynamic: Whether they live, move and fade; the others are constant.
        origin: Where a camera that saw them stood: positions are kept as directions and distances from there.
        gaussians: The rows, their colour of degree 0.
    """

    layer: int
    interval: tuple[float, float, float]
    dynamic: bool
    origin: Float64[Tensor, " 3"]
    gaussians: DynamicGaussians


def scene_blocks(scene: ExportScene, chosen: Bool[Tensor, " n"] | None = None) -> list[Block]:
    """All blocks, those that move first; what is too faint to be ever drawn is left out.

    Args:
        scene: What is exported.
        chosen: Which rows of `scene.gaussians.flat()` to keep; None keeps all.
    """
    numbers = {name: number for number, name in enumerate(LAYERS)}
    blocks, start = [], 0
    for name, layer in scene.gaussians.items():
        kept = layer.opacities >= FAINT
        if chosen is not None:
            kept &= chosen[start : start + len(layer)].to(kept)
        start += len(layer)
        blocks += _layer_blocks(scene, layer.detach()[kept].to("cpu"), numbers[name])
    return sorted(blocks, key=lambda block: not block.dynamic)


def _layer_blocks(scene: ExportScene, layer: DynamicGaussians, number: int) -> list[Block]:
    blocks = []
    if bool(layer.dynamic.any()):
        moving = layer[layer.dynamic]
        intervals, lives = torch.unique(moving.interval, dim=0, return_inverse=True)
        for i, interval in enumerate(intervals.tolist()):
            camera = camera_at(scene.cameras, scene.times, interval[1])
            blocks.append(_block(number, interval, True, camera, moving[lives == i]))
    still = layer[~layer.dynamic]
    cameras, nearest = _nearest_cameras(scene.cameras, still.means)
    for i in nearest.unique().tolist():
        blocks.append(_block(number, (0.0, 0.5, 1.0), False, cameras[[i]], still[nearest == i]))
    return blocks


def _block(
    number: int, interval: Sequence[float], dynamic: bool, camera: PinholeCameras, rows: DynamicGaussians
) -> Block:
    before, at, after = interval
    plain = rows.with_(sh=plain_colours(rows.sh, rows.means, camera))
    return Block(number, (before, at, after), dynamic, camera.c2w[0, :3, 3].to("cpu", torch.float64), plain)


def _nearest_cameras(
    cameras: PinholeCameras, means: Float[Tensor, "n 3"]
) -> tuple[PinholeCameras, Int64[Tensor, " n"]]:
    """A few cameras over the clip, and of every point the one that counts: the middle one, or a much nearer one."""
    count = min(len(cameras), MOST_ORIGINS)
    cameras = cameras[torch.linspace(0, len(cameras) - 1, count).round().long()]
    distances = torch.cdist(means, cameras.c2w[:, :3, 3].to(means))
    middle = count // 2
    least = distances.min(dim=1)
    near = least.values < MUCH_NEARER * distances[:, middle]
    return cameras, torch.where(near, least.indices, torch.full_like(least.indices, middle))


def rows_in(blocks: list[Block]) -> int:
    """How many Gaussians there are."""
    return sum(len(block.gaussians) for block in blocks)
