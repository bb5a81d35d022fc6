"""A layered scene at one instant as ordinary Gaussians, which any splat viewer draws as we draw the layers."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import assemble, so3_exp
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions, draw_instant
from neoverse_ns.rasterize.layers import over
from neoverse_ns.rasterize.pixels_shown import pixels_shown

ASIDE = 8.0
"""Degrees to each side of the clip's own camera from where it is looked, too, how much a Gaussian shows."""
TOO_MUCH = 2.0
"""How many times what it shows in layers a Gaussian may show without them. Beyond twice, less is wrong without it."""
DRAWN = 1 / 255
"""Opacity below which no rasteriser draws a Gaussian."""


@torch.no_grad()
def flat_instant(
    scene: LayeredGaussians, time: float, camera: PinholeCameras, options: DrawOptions | None = None
) -> GaussiansAtTime:
    """Everything alive at `time`, in one set that needs no layers.

    Sorted by depth alone, Gaussians that the layers' order keeps behind would stand between and before those that hide
    them. So those are left out that would show more than twice what they show in layers, summed over the pictures of
    the clip's own camera at that time and of four that circle what it sees, 8 degrees to the right, left, top and
    bottom. What shows in none of them, flat or layered, stays: it may be seen from elsewhere.

    Args:
        scene: All layers.
        time: Normalised time.
        camera: The clip's one camera of that time, refined where cameras were; see
            :func:`neoverse_ns.geometry.interpolation.camera_at`.
        options: See :class:`neoverse_ns.rasterize.drawing.DrawOptions`.

    Returns:
        Gaussians of all layers, front to back; `index` counts the rows of `scene.flat()`.
    """
    options = options or DrawOptions()
    layers = [at_time(layer, time, options.nearest_only, options.gamma) for layer in scene.values()]
    everything = _join(layers, [len(layer) for layer in scene.values()])
    if len(scene) > 1:
        size = camera.width, camera.height, options.rasterize_mode
        front = draw_instant(layers[0], camera.viewmats.to(scene.device), camera.K.to(scene.device), *size)
        views = around(camera, _middle(front))
        viewmats, Ks = views.viewmats.to(scene.device), views.K.to(scene.device)
        layered = _shown_in_layers(layers, viewmats, Ks, *size)
        flat = pixels_shown(everything, viewmats, Ks, *size)
        everything = _rows(everything, flat <= TOO_MUCH * layered)
    return _rows(everything, everything.opacities >= DRAWN)


def around(camera: PinholeCameras, distance: float, degrees: float = ASIDE) -> PinholeCameras:
    """The one camera given, and four that circle the point at `distance` before it: right, left, down, up."""
    angle = math.radians(degrees)
    turns = camera.c2w.new_tensor([[0, 0, 0], [0, -1, 0], [0, 1, 0], [1, 0, 0], [-1, 0, 0]]) * angle
    rotations = so3_exp(turns)
    point = camera.c2w.new_tensor([0.0, 0.0, distance])
    poses = camera.c2w @ assemble(rotations, point - rotations @ point)
    return PinholeCameras(poses, camera.K.expand(len(poses), 3, 3), camera.width, camera.height)


def _middle(drawing: Drawing) -> float:
    """Median depth of what is mostly covered; the world's unit where nothing is."""
    depth = drawing.depth[drawing.alpha > 0.5]
    return float(depth.median()) if len(depth) else 1.0


def _shown_in_layers(
    layers: list[GaussiansAtTime],
    viewmats: Float[Tensor, "c 4 4"],
    Ks: Float[Tensor, "c 3 3"],
    width: int,
    height: int,
    mode: Literal["classic", "antialiased"],
) -> Float[Tensor, " m"]:
    """What each Gaussian shows where every layer is seen through those before it."""
    shown: list[Tensor] = []
    front: Drawing | None = None
    for now in layers:
        light = None if front is None else 1 - front.alpha
        shown.append(pixels_shown(now, viewmats, Ks, width, height, mode, light))
        drawn = draw_instant(now, viewmats, Ks, width, height, mode)
        front = drawn if front is None else over(front, drawn)
    return torch.cat(shown)


def _join(layers: list[GaussiansAtTime], lengths: list[int]) -> GaussiansAtTime:
    """Layers one after the other; `lengths` are those of the whole clip's, which rows are counted by."""
    joined = {f.name: torch.cat([getattr(layer, f.name) for layer in layers]) for f in fields(GaussiansAtTime)}
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    joined["index"] = torch.cat([layer.index + start for layer, start in zip(layers, starts, strict=True)])
    return GaussiansAtTime(**joined)


def _rows(now: GaussiansAtTime, chosen: Bool[Tensor, " m"]) -> GaussiansAtTime:
    return GaussiansAtTime(**{f.name: getattr(now, f.name)[chosen] for f in fields(now)})
