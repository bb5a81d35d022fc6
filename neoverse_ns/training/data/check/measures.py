"""How far two frames' pictures contradict their depth, cameras and motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float64, UInt8
from torch import Tensor

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.check.pair import Pair
from neoverse_ns.training.data.motion.flow_link import round_trip
from neoverse_ns.training.data.motion.surface_sampling import sample_surface

FEWEST = 30
"""Pixels without which a median says nothing."""
_TEXTURE = 8.0
"""Grey levels by which neighbouring pixels must differ for flow to be measured there."""
_AGREED = 0.5
"""Pixels by which measured flow and the flow back may contradict each other."""


@dataclass(frozen=True)
class Observed:
    """Optical flow as measured in the pictures.

    Attributes:
        flow: In pixels, to the right and down.
        sure: There is texture, and flow leads back to where it began.
    """

    flow: Float64[Tensor, "h w 2"]
    sure: Bool[Tensor, "h w"]


@dataclass(frozen=True)
class Measures:
    """Medians over a pair of frames; NaN where too few pixels could be compared.

    Attributes:
        valid: Share of pixels whose depth is known.
        depth: Of the difference between z-depth in the other frame and the depth map there, as a share.
        still: Pixels between predicted and measured flow, where nothing is said to move.
        moving: The same where something is said to move.
        colour: Grey levels between a pixel and where it has gone by what is known.
        unmoved: Grey levels between a pixel and the same pixel of the other frame.
        length: Pixels of measured flow.
    """

    valid: float
    depth: float
    still: float
    moving: float
    colour: float
    unmoved: float
    length: float


def observe(pair: Pair) -> Observed:
    """Measure flow by dense inverse search (Kroeger et al. 2016)."""
    one, other = (cv2.cvtColor(rgb.numpy(), cv2.COLOR_RGB2GRAY) for rgb in (pair.rgb, pair.other_rgb))
    if one.shape != other.shape or min(one.shape) < 16:
        nothing = torch.zeros(*one.shape, 2, dtype=torch.float64)
        return Observed(nothing, torch.zeros(*one.shape, dtype=torch.bool))
    forward, backward = _flow(one, other), _flow(other, one)
    x, y = cv2.Sobel(one, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(one, cv2.CV_32F, 0, 1, scale=0.125)
    texture = torch.from_numpy(cv2.boxFilter(x * x + y * y, -1, (5, 5)) > _TEXTURE)
    back, inside = sample_surface(
        backward,
        torch.ones(*one.shape, dtype=torch.bool),
        torch.ones(*one.shape),
        pixel_centres(one.shape[0], one.shape[1], torch.float64) + forward,
    )
    sure = texture & inside & round_trip(forward, backward) & ((forward + back).norm(dim=-1) < _AGREED)
    return Observed(forward, sure)


def measure(pair: Pair, observed: Observed) -> Measures:
    """Compare what is said of two frames with their pictures and with each other."""
    target, z = pair.target()
    known = pair.view.known & (z > 0) & torch.isfinite(target).all(-1)
    flow = target - pixel_centres(*pair.view.size, torch.float64)
    off = torch.where(known, (flow - observed.flow).norm(dim=-1), math.inf)
    place = torch.where(known[..., None], target, -1)
    there, lit = sample_surface(pair.other.depth[..., None], pair.other.known, pair.other.depth, place)
    # Of what goes out of sight the map shows something nearer: that is no fault, but most of a map is seen.
    depth = ((z - there[..., 0]).abs() / there[..., 0].clamp_min(1e-9))[lit & known]
    return Measures(
        valid=float(pair.view.known.double().mean()),
        depth=_median(depth),
        still=_median(off[observed.sure & pair.still]),
        moving=_median(off[observed.sure & pair.moving]),
        colour=_median(_difference(pair, place)[known]),
        unmoved=_median((_grey(pair.rgb) - _grey(pair.other_rgb)).abs()[known]) if _alike(pair) else math.nan,
        length=_median(observed.flow.norm(dim=-1)[observed.sure]),
    )


def _difference(pair: Pair, place: Float64[Tensor, "h w 2"]) -> Float64[Tensor, "h w"]:
    other = _grey(pair.other_rgb)
    everywhere = torch.ones(*other.shape)
    found, inside = sample_surface(other[..., None], everywhere > 0, everywhere, place)
    return torch.where(inside, (_grey(pair.rgb) - found[..., 0]).abs(), math.nan)


def _alike(pair: Pair) -> bool:
    return pair.rgb.shape == pair.other_rgb.shape


def _grey(rgb: UInt8[Tensor, "h w 3"]) -> Float64[Tensor, "h w"]:
    return rgb.double().mean(-1)


def _flow(one: np.ndarray, other: np.ndarray) -> Float64[Tensor, "h w 2"]:
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    return torch.from_numpy(search.calc(one, other, np.zeros((*one.shape, 2), np.float32))).double()


def _median(values: Tensor) -> float:
    values = values[~torch.isnan(values)]
    return float(values.median()) if len(values) >= FEWEST else math.nan
