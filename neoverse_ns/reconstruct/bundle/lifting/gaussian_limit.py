"""Keeping the number of Gaussians within bounds, at the least loss."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.geometry.projection import project
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.background import SAME

BLOCK = 2
"""Side in pixels of the blocks that may become one Gaussian."""
WIDER = 3.75
"""By how much that one is wider than a pixel's: more than the block, because the rasteriser's blur, which closes the
gaps between Gaussians of single pixels, does not grow with them."""


def limit_gaussians(
    scene: LayeredGaussians,
    geometry: SceneGeometry,
    most: int | None,
    world: Bool[Tensor, "k h w"] | None = None,
) -> LayeredGaussians:
    """At most `most` Gaussians in all layers.

    What is left out, in this order, until the rest fits: 2x2 pixels of a keyframe become one wider Gaussian, the most
    alike in colour and depth first; then what lies behind and several keyframes show anyway, most often shown first;
    then whatever is known least.

    Args:
        scene: With one Gaussian per pixel of `world` of every keyframe in its `frames`, in order, as :func:`lift` makes
            them.
        geometry: Depth and confidence of the keyframes.
        most: The bound, positive; None for none.
        world: Pixels that have a Gaussian; None where all have.
    """
    if most is None or scene.count <= most:
        return scene
    behind = [name for name in scene if name != FRAMES]
    others = concatenate([scene[name] for name in behind]) if behind else scene.frames[:0]
    layer = torch.cat([torch.full((len(scene[name]),), i) for i, name in enumerate(behind)] or [torch.zeros(0)])
    world = torch.ones_like(geometry.depth, dtype=torch.bool) if world is None else world
    wanted = math.ceil((scene.count - most) / (BLOCK**2 - 1))
    lifted, confidence = _merge_blocks(scene.frames, geometry.confidence[world], geometry, world, wanted)
    surplus = len(lifted) + len(others) - most
    if surplus > 0:
        views = times_shown(others, geometry)
        order = views.argsort(descending=True, stable=True)
        kept = order[min(surplus, int((views > 1).sum())) :].sort().values
        others, layer = others[kept], layer[kept]
    known = torch.cat([confidence, torch.full((len(others),), math.inf)])
    kept = known.argsort(descending=True, stable=True)[:most].sort().values
    first = int((kept < len(lifted)).sum())
    rest = kept[first:] - len(lifted)
    parts = {name: others[rest[layer[rest] == i]] for i, name in enumerate(behind)}
    return LayeredGaussians({FRAMES: lifted[kept[:first]]} | parts)


def times_shown(gaussians: DynamicGaussians, geometry: SceneGeometry) -> Int64[Tensor, " n"]:
    """In how many keyframes each Gaussian lies on the surface that is seen there."""
    count = torch.zeros(len(gaussians), dtype=torch.int64)
    for number, frame in enumerate(geometry.keyframes):
        camera = geometry.cameras[[frame]]
        uv, z = project(gaussians.means, camera.viewmats[0], camera.K[0])
        # Outside the image the nearest pixel's depth is read, and not counted.
        size = torch.tensor([camera.width, camera.height], dtype=uv.dtype)
        grid = (2 * uv / size - 1).view(1, 1, -1, 2)
        surface = F.grid_sample(geometry.depth[number][None, None], grid, "nearest", "border", align_corners=False)
        shown = (surface.flatten() - z).abs() < SAME * z
        count += shown & (z > 0) & (uv >= 0).all(-1) & (uv < size).all(-1)
    return count


def _merge_blocks(
    lifted: DynamicGaussians,
    confidence: Float[Tensor, " n"],
    geometry: SceneGeometry,
    world: Bool[Tensor, "k h w"],
    wanted: int,
) -> tuple[DynamicGaussians, Float[Tensor, " m"]]:
    """Turn the `wanted` most uniform blocks into one Gaussian each."""
    pixels = _blocks(geometry.depth.shape)
    pixels = pixels[world.flatten()[pixels].all(1)]
    rows = (world.flatten().cumsum(0) - 1)[pixels]
    lives = torch.cat([lifted.interval, lifted.dynamic[:, None].to(lifted.interval)], 1)[rows]
    alike = (lives == lives[:, :1]).all(-1).all(1)
    pixels, rows = pixels[alike], rows[alike]
    wanted = min(wanted, len(pixels))
    depth = geometry.depth.flatten()[pixels]
    unlike = lifted.sh[rows, 0].std(1).mean(-1) + (depth.amax(1) / depth.amin(1)).log()
    chosen = rows[unlike.argsort(stable=True)[:wanted]]
    first = chosen[:, 0]
    merged = lifted[first].with_(
        means=lifted.means[chosen].mean(1),
        log_scales=lifted.log_scales[chosen].mean(1) + math.log(WIDER),
        sh=lifted.sh[chosen].mean(1),
        velocities=lifted.velocities[chosen].mean(1),
    )
    alone: Bool[Tensor, " n"] = torch.ones(len(lifted), dtype=torch.bool)
    alone[chosen.flatten()] = False
    return concatenate([lifted[alone], merged]), torch.cat([confidence[alone], confidence[chosen].mean(1)])


def _blocks(shape: torch.Size) -> Int64[Tensor, "m 4"]:
    """Rows of the pixels of every whole block, of keyframe images of `shape` (k, h, w) in order."""
    rows = torch.arange(shape.numel()).view(shape)
    rows = rows[:, : shape[1] // BLOCK * BLOCK, : shape[2] // BLOCK * BLOCK]
    rows = rows.unflatten(1, (-1, BLOCK)).unflatten(3, (-1, BLOCK))
    return rows.permute(0, 1, 3, 2, 4).reshape(-1, BLOCK**2)
