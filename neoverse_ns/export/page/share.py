"""Which Gaussians to keep where not all may be kept."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.export.instant import around, middle_depth
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions, draw, draw_instant
from neoverse_ns.rasterize.layers import over
from neoverse_ns.rasterize.pixels_shown import pixels_shown


@torch.no_grad()
def most_shown(scene: ExportScene, count: int) -> Bool[Tensor, " n"]:
    """The `count` rows of `scene.gaussians.flat()` that make up most of what is seen.

    A Gaussian counts by the pixels it makes up, summed over the clip's own cameras and four around each, as the layers
    show it; so what others hide goes first, and then what is seen for the shortest time.
    """
    total = torch.zeros(scene.gaussians.count, dtype=torch.float64)
    with progress("choosing Gaussians", len(scene.cameras)) as steps:
        for i, time in enumerate(scene.times.tolist()):
            own = scene.cameras[[i]]
            total += _shown(
                scene, time, around(own, middle_depth(draw(scene.gaussians.frames, time, *_how(scene, own))))
            )
            steps.advance()
    kept = torch.zeros(len(total), dtype=torch.bool)
    kept[total.argsort(descending=True, stable=True)[:count]] = True
    return kept


def _shown(scene: ExportScene, time: float, views: PinholeCameras) -> Float64[Tensor, " n"]:
    """Pixels that every row makes up at one time, in all views."""
    options, how = scene.options, _how(scene, views)[:-1]
    total = torch.zeros(scene.gaussians.count, dtype=torch.float64)
    front: Drawing | None = None
    start = 0
    for layer in scene.gaussians.values():
        now = at_time(layer, time, options.nearest_only, options.gamma)
        light = None if front is None else 1 - front.alpha
        shown = pixels_shown(now, *how, options.rasterize_mode, light)
        total[now.index.cpu() + start] = shown.double().cpu()
        drawn = draw_instant(now, *how, options.rasterize_mode)
        front = drawn if front is None else over(front, drawn)
        start += len(layer)
    return total


def _how(scene: ExportScene, views: PinholeCameras) -> tuple[Tensor, Tensor, int, int, DrawOptions]:
    device = scene.gaussians.device
    return views.viewmats.to(device), views.K.to(device), views.width, views.height, scene.options
