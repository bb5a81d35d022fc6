"""How much of each Gaussian is seen inside a region of some frames, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.layers import FRAMES, LAYERS
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.projection import project
from neoverse_ns.rasterize import rasterize
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions, draw_instant

SAME_SURFACE = 0.05
"""Relative difference of depth up to which a layer behind shows what the frames' own Gaussians show."""


@dataclass(frozen=True)
class Shares:
    """Pixels that every Gaussian of a layer makes up, summed over frames.

    Attributes:
        inside: Within the region.
        total: Everywhere.
        there: In how many frames its centre lies on the surface that is seen, within the region.
        elsewhere: The same, outside.
    """

    inside: Float[Tensor, " n"]
    total: Float[Tensor, " n"]
    there: Float[Tensor, " n"]
    elsewhere: Float[Tensor, " n"]


def region_shares(
    scene: ExportScene, masks: Float[Tensor, "f h w"], frames: Sequence[int]
) -> dict[str, Shares]:  # by layer, of surfaces alone
    """What each Gaussian contributes to a region and to the whole picture.

    The keyframes' own Gaussians are drawn as they are. A layer behind them is drawn alone, as it would look without
    them; it counts as inside only where its surface is the one that the frames show there, so that what lies behind a
    thing is no part of it.

    Args:
        scene: What is looked at.
        masks: 1 inside the region, at the frames' size.
        frames: Sampled frames that the masks belong to.
    """
    names = [name for name in scene.gaussians if LAYERS[name].is_surface]
    sums = {name: torch.zeros(4, len(scene.gaussians[name])) for name in names}
    with progress("finding what the region shows", len(frames)) as steps:
        for mask, frame in zip(masks, frames, strict=True):
            inside = mask.float()
            front = drawn(scene, moment(scene, FRAMES, frame), frame)
            for name in names:
                now = moment(scene, name, frame)
                same = torch.ones_like(inside) if name == FRAMES else _same(front, drawn(scene, now, frame))
                lights = torch.stack([inside * same, torch.ones_like(inside)], dim=-1)
                found = [contributions(scene, now, frame, lights).T, _votes(scene, now, frame, front, inside)]
                sums[name][:, now.index.cpu()] += torch.cat([part.cpu() for part in found])
            steps.advance()
    return {name: Shares(*value) for name, value in sums.items()}


def moment(scene: ExportScene, name: str, frame: int) -> GaussiansAtTime:
    """A layer at a sampled frame's time."""
    options = scene.options
    with torch.no_grad():
        return at_time(scene.gaussians[name], float(scene.times[frame]), options.nearest_only, options.gamma)


@torch.no_grad()
def drawn(scene: ExportScene, now: GaussiansAtTime, frame: int) -> Drawing:
    """Gaussians seen from a sampled frame's camera."""
    return draw_instant(now, *_camera(scene, frame, now.means), scene.options.rasterize_mode)


def contributions(
    scene: ExportScene, now: GaussiansAtTime, frame: int, lights: Float[Tensor, "h w d"]
) -> Float[Tensor, "m d"]:
    """Every Gaussian's blending weights in a frame, summed over the pixels under several weightings of these.

    A picture is linear in the Gaussians' colours, so the derivative of its weighted sum by them is what each gives.
    """
    options: DrawOptions = scene.options
    viewmats, Ks, width, height = _camera(scene, frame, now.means)
    with torch.enable_grad():
        colours = now.opacities.new_ones(len(now.means), lights.shape[-1]).requires_grad_()
        picture, _, _ = rasterize(
            now.means.detach(),
            now.quats.detach(),
            now.scales.detach(),
            now.opacities.detach(),
            colours,
            viewmats,
            Ks,
            width,
            height,
            render_mode="RGB",
            rasterize_mode=options.rasterize_mode,
        )
        (given,) = torch.autograd.grad((picture[0] * lights.to(picture)).sum(), colours)
    return given


def _votes(
    scene: ExportScene, now: GaussiansAtTime, frame: int, front: Drawing, inside: Float[Tensor, "h w"]
) -> Float[Tensor, "2 m"]:
    """Whether every Gaussian's centre lies on what is seen, in the region and outside."""
    viewmats, Ks, width, height = _camera(scene, frame, now.means)
    pixels, z = project(now.means, viewmats[0], Ks[0])
    column, row = pixels.floor().long().unbind(-1)
    on = (z > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    row, column = row.clamp(0, height - 1), column.clamp(0, width - 1)
    depth = front.depth[0, ..., 0][row, column]
    on &= (z - depth).abs() <= SAME_SURFACE * depth
    within = inside.to(z)[row, column] > 0.5
    return torch.stack([on & within, on & ~within]).float()


def _same(front: Drawing, behind: Drawing) -> Float[Tensor, "h w"]:
    near = (behind.depth - front.depth).abs() <= SAME_SURFACE * front.depth
    # Where the frames show nothing, the layer behind is what is seen.
    return (near | (front.alpha < 0.5))[0, ..., 0].float().cpu()


def _camera(scene: ExportScene, frame: int, like: Tensor) -> tuple[Tensor, Tensor, int, int]:
    camera = scene.cameras[[frame]]
    view = torch.linalg.inv(camera.c2w.to(torch.float64)).to(like)
    return view, camera.K.to(like), camera.width, camera.height
