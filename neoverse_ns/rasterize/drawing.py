"""Drawing one set of 4D Gaussians: time transition, then rasterisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.transition import LIFE_SPAN_GAMMA, at_time
from neoverse_ns.rasterize import rasterize


@dataclass(frozen=True)
class DrawOptions:
    """How Gaussians are drawn; the defaults are the release's.

    Attributes:
        nearest_only: See :func:`neoverse_ns.gaussians.transition.alive_at`.
        gamma: See :func:`neoverse_ns.gaussians.transition.fade`.
        rasterize_mode: `antialiased` compensates opacity for the screen-space blur.
    """

    nearest_only: bool = False
    gamma: float = LIFE_SPAN_GAMMA
    rasterize_mode: Literal["classic", "antialiased"] = "classic"


@dataclass(frozen=True)
class Drawing:
    """What one set of cameras sees at one instant.

    Attributes:
        rgb: Colour over black, not clamped: where alpha is below one it is darker, by design of the losses.
        depth: Expected z-depth of what was drawn, world units; 0 where nothing was.
        alpha: Opacity in [0, 1].
    """

    rgb: Float[Tensor, "c h w 3"]
    depth: Float[Tensor, "c h w 1"]
    alpha: Float[Tensor, "c h w 1"]

    def cpu(self) -> Drawing:
        return Drawing(self.rgb.cpu(), self.depth.cpu(), self.alpha.cpu())


def draw(
    gaussians: DynamicGaussians,
    time: float,
    viewmats: Float[Tensor, "c 4 4"],
    Ks: Float[Tensor, "c 3 3"],
    width: int,
    height: int,
    options: DrawOptions | None = None,
    blend: float | None = None,
) -> Drawing:
    """Draw one set of Gaussians at `time` from cameras in OpenCV axes; the cost is that of those alive.

    Args:
        gaussians: One layer of a scene, or any other set.
        time: Normalised time.
        viewmats: World-to-camera.
        Ks: Intrinsics in pixels.
        width: Image width in pixels.
        height: Image height in pixels.
        options: See :class:`DrawOptions`.
        blend: See :func:`neoverse_ns.gaussians.transition.at_time`.
    """
    options = options or DrawOptions()
    now = at_time(gaussians, time, options.nearest_only, options.gamma, blend)
    return draw_instant(now, viewmats, Ks, width, height, options.rasterize_mode)


def draw_instant(
    now: GaussiansAtTime,
    viewmats: Float[Tensor, "c 4 4"],
    Ks: Float[Tensor, "c 3 3"],
    width: int,
    height: int,
    rasterize_mode: Literal["classic", "antialiased"] = "classic",
) -> Drawing:
    """Draw ordinary 3D Gaussians, all in one sorted pass, as any splat viewer does."""
    degree = round(now.sh.shape[1] ** 0.5) - 1
    renders, alphas, _ = rasterize(
        means=now.means,
        quats=now.quats,
        scales=now.scales,
        opacities=now.opacities,
        # A constant harmonic needs no directions, and its plain colour is what the kernels take fastest.
        colors=now.sh if degree else (0.5 + SH_C0 * now.sh[:, 0]).clamp_min(0.0),
        viewmats=viewmats,
        Ks=Ks,
        width=width,
        height=height,
        sh_degree=degree or None,
        render_mode="RGB+ED",
        rasterize_mode=rasterize_mode,
    )
    return Drawing(rgb=renders[..., :3], depth=renders[..., 3:4], alpha=alphas)


def depth_or_far(drawing: Drawing) -> Float[Tensor, "c h w 1"]:
    """Depth with what is empty put at the farthest depth drawn, as viewers that composite by depth expect."""
    far = drawing.depth.amax(dim=(1, 2, 3), keepdim=True)
    return torch.where(drawing.alpha > 0, drawing.depth, far)
