"""Drawing a refiner's conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.rasterize.layers import draw_layers, over

CHUNK = 8
"""Frames in work at a time; bounds what is held beside the result."""


@dataclass
class ConditionSettings:
    """What counts as well drawn."""

    mask_threshold: float = 1.0
    """Pixels whose opacity exceeds this are kept, all others repainted; 1, as the release has it, repaints everything
    but a given first frame, 0.95 what is clearly open."""
    far_field: bool = False
    """Show the far field through holes. It is nobody's observation: opacity and mask leave it out either way."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if not (math.isfinite(self.mask_threshold) and 0 <= self.mask_threshold <= 1):
            raise SettingsError(f"mask_threshold must lie in [0, 1], got {self.mask_threshold}")


@torch.no_grad()
def draw_conditions(
    scene: LayeredGaussians,
    cameras: PinholeCameras,
    times: Float[Tensor, " n"],
    settings: ConditionSettings,
    advance: Callable[[int], None] | None = None,
) -> Conditions:
    """The same for any cameras, without a word: for loops that do it many times.

    Args:
        scene: The clip's layers.
        cameras: One per frame.
        times: Normalised, one per frame.
        settings: See :class:`ConditionSettings`.
        advance: Called with the number of frames finished.
    """
    like = scene.frames.means
    c2w, K, when = (value.to(like) for value in (cameras.c2w, cameras.K, times))
    viewmats = torch.linalg.inv(cameras.c2w.to(torch.float64)).to(like)
    count, height, width = len(cameras), cameras.height, cameras.width
    rgb = like.new_empty(count, height, width, 3)
    depth, alpha = like.new_empty(count, height, width), like.new_empty(count, height, width)
    plucker = like.new_empty(count, 6, height, width)
    for begin in range(0, count, CHUNK):
        end = min(begin + CHUNK, count)
        plucker[begin:end] = plucker_maps(c2w[begin:end], K[begin:end], height, width)
        # Frames of one instant (a frozen moment, a single photograph) share the time transition.
        for here in _stretches(when, begin, end):
            moment = float(when[here.start])
            drawing = _draw(scene, moment, viewmats[here], K[here], (width, height), settings.far_field)
            rgb[here], depth[here], alpha[here] = drawing.rgb, drawing.depth[..., 0], drawing.alpha[..., 0]
        if advance is not None:
            advance(end - begin)
    return Conditions(rgb.clamp_(0, 1), depth, alpha, alpha > settings.mask_threshold, plucker, K, c2w, when)


def within_clip(times: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Normalised times moved into [0, 1], with one warning where any lies outside."""
    inside = times.clamp(0, 1)
    if bool((times - inside).abs().max() > 1e-6):
        warn(f"frame times {float(times.min()):.3g} to {float(times.max()):.3g} leave the clip's 0 to 1: cut there")
    return inside


def _stretches(times: Float[Tensor, " n"], begin: int, end: int) -> list[slice]:
    """Neighbouring frames of equal time."""
    lengths = torch.unique_consecutive(times[begin:end], return_counts=True)[1].tolist()
    bounds = [begin]
    for length in lengths:
        bounds.append(bounds[-1] + length)
    return [slice(a, b) for a, b in pairwise(bounds)]


def _draw(
    scene: LayeredGaussians,
    moment: float,
    viewmats: Float[Tensor, "c 4 4"],
    Ks: Float[Tensor, "c 3 3"],
    size: tuple[int, int],
    far_field: bool,
) -> Drawing:
    """Surfaces, over what is none where that is wanted; alpha is of the former alone."""
    other = [name for name in scene if not LAYERS[name].is_surface]
    front = draw_layers(scene.without(*other), moment, viewmats, Ks, *size)
    if not far_field or not other:
        return front
    both = over(front, draw_layers(scene.only(*other), moment, viewmats, Ks, *size), is_surface=False)
    return Drawing(both.rgb, both.depth, front.alpha)
