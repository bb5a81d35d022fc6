"""How well a scene shows the frames that it was not made from."""

from __future__ import annotations

import math

import torch

from neoverse_ns.metrics.image import psnr
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.reconstruct.scene import Scene


@torch.no_grad()
def held_out_psnr(scene: Scene, options: DrawOptions | None = None) -> float | None:
    """Mean PSNR of the held-out frames, dB, over the pixels that are part of the world; None where there are none.

    Args:
        scene: With Gaussians.
        options: How it is drawn.
    """
    chosen, clip = scene.split.held_out, scene.clip
    if not chosen or scene.gaussians is None:
        return None
    cameras, values = scene.geometry.cameras[chosen], []
    for frame, view in zip(chosen, views_along(scene.gaussians, cameras, clip.times[chosen], options), strict=True):
        truth = clip.frames[frame].float() / 255
        world = None if clip.ignored is None else ~clip.ignored[frame]
        values.append(psnr(view.drawing.rgb[0].cpu().clamp(0, 1), truth, world))
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else None
