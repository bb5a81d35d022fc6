"""One picture of what stands still, put together from all frames that saw it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from numpy import ndarray
from torch import Tensor

from neoverse_ns.applications.background.config import BackgroundConfig
from neoverse_ns.applications.witnesses import Sighting, Witnesses, widened

FEATHER = 0.8
"""Standard deviation, pixels, of the blend between a frame's own pixels and those of others."""
LOOK = 1.5
"""Standard deviation, pixels, of the smoothing before colours are compared: a pixel's edge may lie a little aside."""
SURE = 3
"""Frames that must have seen a place before they may overrule a frame's own pixel."""
ENOUGH = 2
"""Frames that must have seen a place for it to count as seen: one alone may show what its mask has missed."""
SPREAD = 1.0
"""How much of the spread among the frames that saw a place (median deviation) adds to the tolerance there."""


@dataclass(frozen=True)
class Composed:
    """A picture without what moves.

    Attributes:
        rgb: RGB in [0, 1]; the fallback's where nothing was seen.
        seen: Pixels whose place some frame saw uncovered.
        own: Pixels taken from the frame itself.
    """

    rgb: Float32[ndarray, "h w 3"]
    seen: Bool[ndarray, "h w"]
    own: Bool[ndarray, "h w"]


def compose(
    witnesses: Witnesses,
    points: Float[Tensor, "h w 3"],
    order: list[int],
    fallback: Float32[ndarray, "h w 3"],
    config: BackgroundConfig,
    own: int | None = None,
) -> Composed:
    """Choose every pixel among those of the frames that saw its place.

    What most frames saw, the median over all of them, decides who is right. Where the frame itself agrees its own pixel
    is kept; elsewhere the nearest frames that agree are averaged. A shadow or a rim that no mask covers is there for a
    while only, and so is overruled. Frames are brought to the exposure of the frame itself first.

    Args:
        witnesses: The clip's frames.
        points: World point of every pixel, on what stands still.
        order: Numbers of witnesses, those to be preferred first.
        fallback: What is shown where no frame saw anything.
        config: See :class:`BackgroundConfig`.
        own: Number of the witness that the picture is taken from, where it is one.
    """
    sightings = [witnesses.look_up(number, points) for number in order]
    if own is not None:
        # Its own pixels are its own, whatever a depth says.
        place = order.index(own)
        sightings[place] = Sighting(witnesses.images[own], ~witnesses.moving[own])
        sightings = [_exposed_as(sighting, sightings[place]) for sighting in sightings]
    colours = np.stack([sighting.colours for sighting in sightings])
    seen = np.stack([sighting.seen for sighting in sightings])
    middle, spread = _median(colours, seen)
    tolerance = config.tolerance + SPREAD * spread
    agree = seen & (_apart(colours, middle) < tolerance)
    blended = _nearest(colours, agree, seen, config.nearest)
    anyone = _witnessed(seen)
    rgb = np.where(anyone[..., None], blended, fallback)
    kept = np.zeros_like(anyone)
    if own is not None:
        kept = _kept(witnesses, own, seen, agree[order.index(own)])
        anyone = anyone | kept
        # Feathered inward alone: what does not belong there shall not shine through.
        share = np.minimum(cv2.GaussianBlur((~widened(~kept, 1)).astype(np.float32), (0, 0), FEATHER), kept)
        rgb = share[..., None] * witnesses.images[own] + (1 - share[..., None]) * rgb
    return Composed(np.clip(rgb, 0, 1).astype(np.float32), anyone, kept)


def _kept(
    witnesses: Witnesses, own: int, seen: Bool[ndarray, "n h w"], agrees: Bool[ndarray, "h w"]
) -> Bool[ndarray, "h w"]:
    """Where a frame's own pixel stays: it does not move, and no three others say that something else stands there."""
    doubted = ~agrees & (seen.sum(0) > SURE)
    # Single pixels are noise, or texture a little aside; shadows and rims are not.
    doubted = cv2.morphologyEx(doubted.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    return ~witnesses.moving[own] & ~widened(doubted, 2)


def _witnessed(seen: Bool[ndarray, "n h w"]) -> Bool[ndarray, "h w"]:
    """Where at least two frames, or all there are, saw a place; specks, which depths agree on by chance, are not."""
    enough = seen.sum(0) >= min(ENOUGH, len(seen))
    return cv2.morphologyEx(enough.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0


def _median(
    colours: Float32[ndarray, "n h w 3"], seen: Bool[ndarray, "n h w"]
) -> tuple[Float32[ndarray, "h w 3"], Float32[ndarray, "h w"]]:
    """Median of what was seen, and the median deviation from it; 0 where nothing was."""
    count = seen.sum(0)
    middle = _middle(np.where(seen[..., None], colours, np.inf), count[..., None])
    away = np.abs(colours - middle).max(-1)
    return middle, _middle(np.where(seen, away, np.inf), count)


def _middle(values: Float32[ndarray, "n *size"], count: Int[ndarray, "*#size"]) -> Float32[ndarray, "*size"]:
    """The lower median of the first axis's `count` finite values, 0 where there are none."""
    ranked = np.sort(np.moveaxis(values, 0, -1), axis=-1)
    place = np.broadcast_to(np.maximum(count - 1, 0) // 2, ranked.shape[:-1])
    middle = np.take_along_axis(ranked, place[..., None], axis=-1)[..., 0]
    return np.where(np.isfinite(middle), middle, 0).astype(np.float32)


def _apart(colours: Float32[ndarray, "n h w 3"], middle: Float32[ndarray, "h w 3"]) -> Float32[ndarray, "n h w"]:
    """Largest difference of a channel, smoothed."""
    apart = [cv2.GaussianBlur(colour - middle, (0, 0), LOOK) for colour in colours]
    return np.abs(np.stack(apart)).max(-1)


def _nearest(
    colours: Float32[ndarray, "n h w 3"], agree: Bool[ndarray, "n h w"], seen: Bool[ndarray, "n h w"], count: int
) -> Float32[ndarray, "h w 3"]:
    """Mean of the first few that agree; of the first that saw anything where none does."""
    usable = np.where(agree.any(0), agree, seen)
    chosen = usable & (usable.cumsum(0) <= count)
    weights = chosen.astype(np.float32)
    return np.einsum("nhw,nhwc->hwc", weights, colours) / np.maximum(weights.sum(0), 1)[..., None]


def _exposed_as(sighting: Sighting, own: Sighting) -> Sighting:
    """A sighting in another one's exposure and white balance, by the median ratio where both see the same."""
    both = sighting.seen & own.seen
    if both.sum() < 100:
        return sighting
    a, b = sighting.colours[both], own.colours[both]
    bright = (a > 0.05).all(-1) & (b > 0.05).all(-1) & (a < 0.95).all(-1) & (b < 0.95).all(-1)
    if bright.sum() < 100:
        return sighting
    gain = np.median(b[bright] / a[bright], axis=0).clip(0.7, 1.4).astype(np.float32)
    return Sighting(sighting.colours * gain, sighting.seen)
