"""Drawing 4D Gaussians: time transition, then rasterisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from neoverse_ns.gaussians.transition import LIFE_SPAN_GAMMA, GaussiansAtTime, at_time
from neoverse_ns.rasterize import rasterize


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


def draw(
    gaussians: DynamicGaussians,
    time: float,
    viewmats: Float[Tensor, "c 4 4"],
    Ks: Float[Tensor, "c 3 3"],
    width: int,
    height: int,
    *,
    nearest_only: bool = False,
    gamma: float = LIFE_SPAN_GAMMA,
    rasterize_mode: Literal["classic", "antialiased"] = "classic",
    keep: Bool[Tensor, " n"] | None = None,
) -> Drawing:
    """Draw the clip's Gaussians at `time` from cameras in OpenCV axes.

    Args:
        gaussians: Those of the whole clip.
        time: Normalised time.
        viewmats: World-to-camera.
        Ks: Intrinsics in pixels.
        width: Image width in pixels.
        height: Image height in pixels.
        nearest_only: See :func:`neoverse_ns.gaussians.transition.alive_at`.
        gamma: See :func:`neoverse_ns.gaussians.transition.fade`.
        rasterize_mode: `antialiased` compensates opacity for the screen-space blur.
        keep: Draw only these rows; None draws all.
    """
    now = at_time(gaussians, time, nearest_only, gamma)
    if keep is not None:
        chosen = keep[now.index]
        now = GaussiansAtTime(
            now.means[chosen],
            now.quats[chosen],
            now.scales[chosen],
            now.opacities[chosen],
            now.sh[chosen],
            now.index[chosen],
        )
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
