"""Drawing 4D Gaussians: time transition, then rasterisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import BACKDROP, MADE_UP, SH_C0, DynamicGaussians
from neoverse_ns.gaussians.transition import LIFE_SPAN_GAMMA, GaussiansAtTime, at_time
from neoverse_ns.rasterize import rasterize

_OPEN = 2e-3
"""Light let through, below half a grey level's worth, from which on it pays to draw what lies behind."""


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
    background: bool = True,
    nearest_only: bool = False,
    gamma: float = LIFE_SPAN_GAMMA,
    rasterize_mode: Literal["classic", "antialiased"] = "classic",
    keep: Bool[Tensor, " n"] | None = None,
    blend: float | None = None,
) -> Drawing:
    """Draw the clip's Gaussians at `time` from cameras in OpenCV axes.

    The keyframes' own Gaussians come first; the fused background is drawn by itself and shows through what they leave
    open, so that it fills holes without blurring them; what is still open shows what a refiner made up, and then the
    backdrop. So a wrong depth of something made up can never hide what was seen.

    Args:
        gaussians: Those of the whole clip.
        time: Normalised time.
        viewmats: World-to-camera.
        Ks: Intrinsics in pixels.
        width: Image width in pixels.
        height: Image height in pixels.
        background: False leaves out the fused background and what lies behind it.
        nearest_only: See :func:`neoverse_ns.gaussians.transition.alive_at`.
        gamma: See :func:`neoverse_ns.gaussians.transition.fade`.
        rasterize_mode: `antialiased` compensates opacity for the screen-space blur.
        keep: Draw only these rows; None draws all.
        blend: See :func:`neoverse_ns.gaussians.transition.at_time`.
    """
    behind, backdrop = gaussians.keyframe == -1, gaussians.keyframe == BACKDROP
    made_up = gaussians.keyframe == MADE_UP
    kept = torch.ones_like(behind) if keep is None else keep

    def layer(rows: Bool[Tensor, " n"]) -> Drawing:
        now = at_time(gaussians, time, nearest_only, gamma, rows & kept, blend)
        return _rasterize(now, viewmats, Ks, width, height, rasterize_mode)

    drawing = layer(~(behind | made_up | backdrop))
    if not background:
        return drawing
    if bool(behind.any()):
        drawing = over(drawing, layer(behind))
    if bool(made_up.any()) and float(drawing.alpha.detach().min()) < 1 - _OPEN:
        drawing = over(drawing, layer(made_up))
    if bool(backdrop.any()) and float(drawing.alpha.detach().min()) < 1 - _OPEN:
        drawing = before_backdrop(drawing, layer(backdrop))
    return drawing


def over(front: Drawing, back: Drawing) -> Drawing:
    """`back` seen through what `front` leaves open; depth is the expected one of both."""
    light = 1 - front.alpha
    alpha = front.alpha + light * back.alpha
    depth = front.alpha * front.depth + light * back.alpha * back.depth
    return Drawing(front.rgb + light * back.rgb, depth / alpha.clamp_min(1e-10), alpha)


def before_backdrop(front: Drawing, backdrop: Drawing) -> Drawing:
    """`backdrop` seen through what `front` leaves open; depth stays that of `front` wherever it is half opaque.

    The backdrop is so far away that the little of it that shines through a surface would ruin the expected depth.
    """
    both = over(front, backdrop)
    return Drawing(both.rgb, torch.where(front.alpha < 0.5, both.depth, front.depth), both.alpha)


def _rasterize(
    now: GaussiansAtTime,
    viewmats: Float[Tensor, "c 4 4"],
    Ks: Float[Tensor, "c 3 3"],
    width: int,
    height: int,
    rasterize_mode: str,
) -> Drawing:
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
