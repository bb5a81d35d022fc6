"""Colours that make up for the blur of drawing."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.drawing import draw


@torch.no_grad()
def sharp_colours(
    gaussians: DynamicGaussians,
    image: Float[Tensor, "h w 3"],
    camera: PinholeCameras,
    time: float,
    sweeps: int,
    fixed: Bool[Tensor, "h w"] | None = None,
    ignored: Bool[Tensor, "h w"] | None = None,
) -> Float[Tensor, "n 1 3"]:
    """Constant harmonics of a keyframe's Gaussians whose drawing comes near its image.

    A Gaussian of a pixel's size reaches into the neighbouring pixels, and the rasteriser widens it by 0.3 px^2 more;
    with the pixels' own colours the drawing is the image, blurred. Each sweep adds to every colour what its pixel lacks
    (van Cittert 1931). What a pixel lets through is no lack: the same surface is expected behind it. Colours stay in
    [0, 1], where viewers of eight bits keep them and the drawing has slopes.

    Args:
        gaussians: One per pixel, in order, alive at `time`.
        image: Of the keyframe, in [0, 1].
        camera: The keyframe's, alone.
        time: The keyframe's, normalised.
        sweeps: Number of corrections, each for one drawing; 0 gives the image's colours.
        fixed: Pixels that keep the image's colours; None is none.
        ignored: Pixels that will have no Gaussian, so that others owe them nothing; None is none.
    """
    colours = image.clone()
    if ignored is not None:
        gaussians = gaussians.with_(opacity_logits=gaussians.opacity_logits.masked_fill(ignored.flatten(), -torch.inf))
    for _ in range(sweeps):
        shown = gaussians.with_(sh=(colours.reshape(-1, 1, 3) - 0.5) / SH_C0)
        drawing = draw(shown, time, camera.viewmats, camera.K, camera.width, camera.height)
        lack = drawing.alpha[0] * image - drawing.rgb[0]
        if fixed is not None:
            lack = lack.masked_fill(fixed[..., None], 0.0)
        colours = (colours + lack).clamp(0, 1)
    return (colours.reshape(-1, 1, 3) - 0.5) / SH_C0
