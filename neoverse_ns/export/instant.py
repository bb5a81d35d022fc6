"""A layered scene at one instant as ordinary Gaussians, which any splat viewer draws as we draw the layers."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.export.fitting import fit_gates
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.layers import FRAMES, LAYERS, LayeredGaussians
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
HALF = 0.5
"""Share of its opacity from which on a Gaussian is worth keeping."""
DRAWN = 1 / 255
"""Opacity below which no rasteriser draws a Gaussian."""


@torch.no_grad()
def flat_instant(
    scene: LayeredGaussians,
    time: float,
    camera: PinholeCameras,
    options: DrawOptions | None = None,
    quick: bool = False,
) -> GaussiansAtTime:
    """Everything alive at `time`, in one set that needs no layers.

    Sorted by depth alone, Gaussians that the layers' order keeps behind would stand between and before those that hide
    them. So layer by layer, front to back, those are left out that would show more than twice what they show in layers,
    summed over the pictures of the clip's own camera at that time and of four that circle what it sees, 8 degrees to
    the right, left, bottom and top. What shows in none of them either way stays: it may be seen from elsewhere. From
    there a few steps of descent on these pictures decide once more, and how opaque what stays shall be; see
    :func:`neoverse_ns.export.fitting.fit_gates`.

    Args:
        scene: All layers.
        time: Normalised time.
        camera: The clip's one camera of that time, refined where cameras were; see
            :func:`neoverse_ns.geometry.interpolation.camera_at`.
        options: See :class:`neoverse_ns.rasterize.drawing.DrawOptions`.
        quick: Look from the clip's own camera alone, and do not descend: some twenty times as fast, as good from there,
            and some 3 dB farther from the layers at 8 degrees aside. For files of many instants.

    Returns:
        Gaussians of all layers, front to back; `index` counts the rows of `scene.flat()`.
    """
    options = options or DrawOptions()
    alive = _alive(scene, time, options)
    everything = alive.pop(FRAMES)
    if alive:
        views = _Views(camera, scene.device, options)
        front = views.drawing(everything)
        if not quick:
            views = _Views(around(camera, middle_depth(front)), scene.device, options)
            front = views.drawing(everything)
        chosen = torch.ones(len(everything.index), dtype=torch.bool, device=scene.device)
        free = ~chosen
        for name, now in alive.items():
            is_surface = LAYERS[name].is_surface
            wanted = torch.ones(len(now.index), dtype=torch.bool, device=scene.device)
            if is_surface:
                before = rows_of(everything, chosen)
                flat = views.shown(_join(before, now))[len(before.index) :]
                wanted = flat <= TOO_MUCH * views.shown(now, light=1 - front.alpha)
            front = over(front, views.drawing(now), is_surface)
            everything, chosen = _join(everything, now), torch.cat([chosen, wanted])
            free = torch.cat([free, torch.full_like(wanted, is_surface)])
        if not quick:
            gates = fit_gates(everything, chosen, free, front.rgb, views.drawing)
            everything, chosen = replace(everything, opacities=everything.opacities * gates), gates >= HALF
        everything = rows_of(everything, chosen)
    return rows_of(everything, everything.opacities >= DRAWN)


def around(camera: PinholeCameras, distance: float, degrees: float = ASIDE) -> PinholeCameras:
    """The one camera given, and four that circle the point at `distance` before it: right, left, down, up."""
    angle = math.radians(degrees)
    turns = camera.c2w.new_tensor([[0, 0, 0], [0, -1, 0], [0, 1, 0], [1, 0, 0], [-1, 0, 0]]) * angle
    rotations = so3_exp(turns)
    point = camera.c2w.new_tensor([0.0, 0.0, distance])
    poses = camera.c2w @ assemble(rotations, point - rotations @ point)
    return PinholeCameras(poses, camera.K.expand(len(poses), 3, 3), camera.width, camera.height)


def middle_depth(drawing: Drawing) -> float:
    """Median depth of what is mostly covered; the world's unit where nothing is."""
    depth = drawing.depth[drawing.alpha > 0.5]
    return float(depth.median()) if len(depth) else 1.0


class _Views:
    """Pictures from a few cameras."""

    def __init__(self, cameras: PinholeCameras, device: torch.device, options: DrawOptions) -> None:
        viewmats, Ks = cameras.viewmats.to(device), cameras.K.to(device)
        self._how = viewmats, Ks, cameras.width, cameras.height, options.rasterize_mode

    def drawing(self, now: GaussiansAtTime) -> Drawing:
        return draw_instant(now, *self._how)

    def shown(self, now: GaussiansAtTime, light: Tensor | None = None) -> Float[Tensor, " m"]:
        return pixels_shown(now, *self._how, light=light)


def _alive(scene: LayeredGaussians, time: float, options: DrawOptions) -> dict[str, GaussiansAtTime]:
    """Every layer at an instant, its rows counted over the whole scene."""
    alive, start = {}, 0
    for name, layer in scene.items():
        now = at_time(layer, time, options.nearest_only, options.gamma)
        alive[name] = replace(now, index=now.index + start)
        start += len(layer)
    return alive


def _join(*parts: GaussiansAtTime) -> GaussiansAtTime:
    return GaussiansAtTime(**{f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(GaussiansAtTime)})


def rows_of(now: GaussiansAtTime, chosen: Bool[Tensor, " m"] | Int64[Tensor, " k"]) -> GaussiansAtTime:
    """Some of the Gaussians of an instant, by mask or position."""
    return GaussiansAtTime(**{f.name: getattr(now, f.name)[chosen] for f in fields(now)})
