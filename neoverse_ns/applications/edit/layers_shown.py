"""What a camera sees of a scene: its surfaces, all of it, and the part that some of its Gaussians make up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize import rasterize
from neoverse_ns.rasterize.drawing import Drawing, DrawOptions
from neoverse_ns.rasterize.layers import draw_layers, over

_FAINT = 1e-4


@dataclass(frozen=True)
class Shown:
    """A part of what is seen.

    Attributes:
        rgb: Its colours times its share.
        share: What part of every pixel it makes up, as all else hides it.
        part_depth: Mean z-depth of the part's Gaussians in the pixel; 0 where it has none.
        depth: Expected z-depth of all surfaces together; 0 where there are none.
    """

    rgb: Float[Tensor, "h w 3"]
    share: Float[Tensor, "h w"]
    part_depth: Float[Tensor, "h w"]
    depth: Float[Tensor, "h w"]


def view_of(camera: PinholeCameras, like: Tensor) -> tuple[Tensor, Tensor, int, int]:
    """World-to-camera, intrinsics, width and height, as drawing takes them."""
    view = torch.linalg.inv(camera.c2w.to(torch.float64)).to(like)
    return view, camera.K.to(like), camera.width, camera.height


@torch.no_grad()
def surfaces_and_all(
    scene: LayeredGaussians, camera: PinholeCameras, time: float, options: DrawOptions
) -> tuple[Drawing, Drawing]:
    """One camera's picture of the surfaces, and of these with the far field behind them; on the CPU."""
    view = view_of(camera, scene.frames.means)
    other = [name for name in scene if not LAYERS[name].is_surface]
    front = draw_layers(scene.without(*other), time, *view, options)
    if not other:
        return front.cpu(), front.cpu()
    return front.cpu(), over(front, draw_layers(scene.only(*other), time, *view, options), is_surface=False).cpu()


@torch.no_grad()
def shown_of(
    scene: LayeredGaussians,
    rows: Mapping[str, Bool[Tensor, " n"]],
    camera: PinholeCameras,
    time: float,
    options: DrawOptions,
) -> Shown:
    """What one camera sees of the chosen Gaussians, hidden as all others hide them.

    Args:
        scene: All of it; its colours that depend on the direction of view count by their mean.
        rows: Those asked about, by layer; absent layers have none.
        camera: One.
        time: Normalised.
        options: How the scene is drawn.
    """
    like = scene.frames.means
    view = view_of(camera, like)
    parts = like.new_zeros(camera.height, camera.width, 5)
    depth, light = like.new_zeros(camera.height, camera.width), like.new_ones(camera.height, camera.width)
    for name, layer in scene.items():
        if not LAYERS[name].is_surface:
            continue
        now = at_time(layer, time, options.nearest_only, options.gamma)
        marked = (rows[name].to(like.device)[now.index] if name in rows else now.index < 0).to(like)[:, None]
        z = now.means @ view[0][0, 2, :3, None] + view[0][0, 2, 3]
        colours = torch.cat([(0.5 + SH_C0 * now.sh[:, 0]).clamp_min(0), z, torch.ones_like(z)], dim=1) * marked
        picture, alpha, _ = rasterize(
            *(now.means, now.quats, now.scales, now.opacities, colours, *view),
            render_mode="RGB+ED",
            rasterize_mode=options.rasterize_mode,
        )
        given = light * alpha[0, ..., 0]
        parts += light[..., None] * picture[0, ..., :5]
        depth += given * picture[0, ..., 5]
        light = light - given
    covered = 1 - light
    depth = torch.where(covered > 0, depth / covered.clamp_min(1e-10), torch.zeros_like(depth))
    share = parts[..., 4]
    part_depth = torch.where(share > _FAINT, parts[..., 3] / share.clamp_min(_FAINT), torch.zeros_like(share))
    return Shown(parts[..., :3].cpu(), share.clamp(0, 1).cpu(), part_depth.cpu(), depth.cpu())
