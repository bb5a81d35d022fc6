"""Wear pictures: blur, loss of resolution, exposure, noise and coding, in the order in which a camera does them."""

from __future__ import annotations

import torch
from jaxtyping import Float, Num
from torch import Tensor

from neoverse_ns.clip.wear.blur import motion_blur
from neoverse_ns.clip.wear.coding import coded, enlarged, smaller
from neoverse_ns.clip.wear.draw import WearDraw
from neoverse_ns.clip.wear.light import from_light, to_light
from neoverse_ns.clip.wear.sensor import exposed, noisy


def wear_inputs(
    rgb: Float[Tensor, "k 3 h w"],
    draw: WearDraw,
    times: Num[Tensor, " k"] | None = None,
    flow: Float[Tensor, "k h w 2"] | None = None,
    depth: Float[Tensor, "k h w"] | None = None,
) -> Float[Tensor, "k 3 h w"]:
    """Worn pictures of the same size; the clean ones are not changed. On the CPU.

    Args:
        rgb: Clean pictures in [0, 1].
        draw: What is done to them.
        times: In frames, by which exposure drifts; 0, 1, 2, ... without them.
        flow: Way of every pixel until the next frame, x and y, in pixels; without it the draw's shake blurs.
        depth: Which of two moving things covers the other when they blur; 0 where unknown.
    """
    if draw.nothing:
        return rgb
    count, _, height, width = rgb.shape
    light = to_light(rgb)
    if draw.blurs:
        if flow is None:
            flow = (torch.tensor(draw.shake) * max(height, width)).to(rgb).expand(count, height, width, 2)
        light = motion_blur(light, flow, draw.shutter, depth)
    if draw.scale < 1:
        light = smaller(light, draw.scale)
    if draw.exposes:
        light = exposed(light, (torch.arange(count) if times is None else times).double(), draw)
    if draw.noisy:
        light = noisy(light, draw.electrons, draw.read, draw.seed)
    worn = from_light(light)
    if draw.gamma != 1:
        worn = worn**draw.gamma
    if draw.quality is not None:
        worn = coded(worn, draw.quality)
    return enlarged(worn, height, width)
