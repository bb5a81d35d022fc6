"""Scores of tracks in space with every option of TAPVid-3D (Koppula et al., NeurIPS 2024), and distances in metres.

Points lie in each frame's own camera. :mod:`neoverse_ns.metrics.tracks` has the two scores that this project compares
itself by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from neoverse_ns.metrics.tracks import SIDE, THRESHOLDS

TrackScale = Literal["none", "median", "per-trajectory", "local-neighbourhood"]
"""What found places are multiplied by: nothing; the ratio of the median distances from the camera, over places that are
seen and said to be seen; the ratio of the depths of each track in the frame it was asked for in; or the last, for all
places near that track as well, each track and what is near it weighing as much as the track has visible places."""

FIXED_THRESHOLDS = (0.01, 0.04, 0.16, 0.64, 2.56)
"""Metres within which a place counts as found, wherever it lies."""
DISTANCES = (0.05, 0.10)
"""Metres of which MoVieS (Lin et al., 2025) gives the shares of visible places within; NeoVerse gives that of 0.1 m."""
NEIGHBOURHOOD = 0.05
"""Metres from a track up to which others move with it."""
_LEAST_DEPTH = 1e-12


@dataclass(frozen=True)
class SpaceTrackScores:
    """Scores of one video; all NaN, with a `reason`, where no place is truly visible.

    Attributes:
        average_jaccard: AJ, of places and visibility together, mean over the thresholds.
        within: APD, share of truly visible places within a threshold, mean over the thresholds.
        occlusion_accuracy: OA, share of right answers to whether a place is seen.
        mean_distance: EPE, mean distance over truly visible places, units of the truth; NaN where the scale is unknown,
            as no place is both seen and said to be seen.
        share_within: Share of truly visible places nearer than each of the distances, units of the truth.
        reason: Why something is NaN; None where nothing is.
    """

    average_jaccard: float
    within: float
    occlusion_accuracy: float
    mean_distance: float
    share_within: Mapping[float, float] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class _Places:
    """Places of all tracks in all frames, some more than once."""

    found: Float64[Tensor, "m 3"]
    said: Bool[Tensor, " m"]
    true: Float64[Tensor, "m 3"]
    seen: Bool[Tensor, " m"]
    weight: Float64[Tensor, " m"]


def score_space_tracks(
    found: Float[Tensor, "n p 3"],
    found_visible: Bool[Tensor, "n p"],
    true: Float[Tensor, "n p 3"],
    true_visible: Bool[Tensor, "n p"],
    focal: Float[Tensor, "2"],
    size: tuple[int, int],
    *,
    scale: TrackScale = "median",
    fixed: bool = False,
    queries: Int[Tensor, " p"] | None = None,
    distances: Sequence[float] = DISTANCES,
) -> SpaceTrackScores:
    """Scores of one video. The frame that a track is asked for in counts like any other.

    Args:
        found: Places in each frame's camera, OpenCV axes.
        found_visible: Where they are said to be seen.
        true: True places in each frame's camera; metres, where distances are to be so.
        true_visible: Where they are seen.
        focal: fx and fy, pixels of `size`.
        size: Width and height of the picture; thresholds mean pixels of one whose shorter side has `SIDE`.
        scale: How the unknown unit of `found` is made up for.
        fixed: `FIXED_THRESHOLDS` instead of `THRESHOLDS` pixels at a place's true depth.
        queries: The frame that every track is asked for in; for the last two scales.
        distances: For `share_within`.

    Raises:
        ValueError: The scale needs queries, and there are none.
    """
    if not bool(true_visible.any()):
        shares = dict.fromkeys(distances, math.nan)
        return SpaceTrackScores(math.nan, math.nan, math.nan, math.nan, shares, "no point is visible")
    if scale in ("per-trajectory", "local-neighbourhood") and queries is None:
        raise ValueError(f"the scale '{scale}' needs the frame that each track is asked for in")
    places = _scaled(found.to(torch.float64), found_visible, true.to(torch.float64), true_visible, scale, queries)
    error = (places.found - places.true).norm(dim=-1)
    focals = focal.to(torch.float64) * SIDE / min(size)
    pixel = torch.ones_like(error) if fixed else places.true[:, 2].abs() / focals.prod().sqrt()
    jaccard, within = [], []
    for threshold in FIXED_THRESHOLDS if fixed else THRESHOLDS:
        near = error < threshold * pixel
        wrong = _sum(places, places.said & ~(places.seen & near))
        jaccard.append(_sum(places, places.said & places.seen & near) / (_sum(places, places.seen) + wrong))
        within.append(_sum(places, places.seen & near) / _sum(places, places.seen))
    seen = _sum(places, places.seen)
    unknown = not bool(error.isfinite().all())
    return SpaceTrackScores(
        average_jaccard=sum(jaccard) / len(jaccard),
        within=sum(within) / len(within),
        occlusion_accuracy=_sum(places, places.said == places.seen) / places.weight.sum().item(),
        mean_distance=((error * places.weight)[places.seen].sum() / seen).item(),
        share_within={d: _sum(places, places.seen & (error < d)) / seen for d in distances},
        reason="no point is both visible and found visible, which leaves the scale open" if unknown else None,
    )


def _scaled(
    found: Float64[Tensor, "n p 3"],
    said: Bool[Tensor, "n p"],
    true: Float64[Tensor, "n p 3"],
    seen: Bool[Tensor, "n p"],
    scale: TrackScale,
    queries: Int[Tensor, " p"] | None,
) -> _Places:
    if scale == "median":
        both = said & seen
        found = found * _middle(true[both].norm(dim=-1)) / _middle(found[both].norm(dim=-1))
    elif queries is not None and scale != "none":
        tracks = torch.arange(found.shape[1], device=found.device)
        depths = [places[queries, tracks, 2].clamp(min=_LEAST_DEPTH) for places in (true, found)]
        ratio = depths[0] / depths[1]
        if scale == "local-neighbourhood":
            return _neighbourhoods(found, said, true, seen, ratio)
        found = found * ratio[:, None]
    weight = torch.ones(said.numel(), dtype=torch.float64, device=found.device)
    return _Places(found.reshape(-1, 3), said.flatten(), true.reshape(-1, 3), seen.flatten(), weight)


def _neighbourhoods(
    found: Float64[Tensor, "n p 3"],
    said: Bool[Tensor, "n p"],
    true: Float64[Tensor, "n p 3"],
    seen: Bool[Tensor, "n p"],
    ratio: Float64[Tensor, " p"],
) -> _Places:
    """Of every track the places near it, itself among them, at its scale."""
    parts: list[tuple[Tensor, ...]] = []
    for track in range(found.shape[1]):
        near = (true - true[:, track : track + 1]).square().sum(-1) < NEIGHBOURHOOD**2
        share = seen[:, track].sum().double() / seen[near].sum().clamp(min=1)
        parts.append((ratio[track] * found[near], said[near], true[near], seen[near], share.expand(int(near.sum()))))
    return _Places(*(torch.cat(part) for part in zip(*parts, strict=True)))


def _sum(places: _Places, chosen: Bool[Tensor, " m"]) -> float:
    return places.weight[chosen].sum().item()


def _middle(values: Float64[Tensor, " m"]) -> float:
    """Median, of an even number the mean of both middle values; NaN of none."""
    if not len(values):
        return math.nan
    values = values.sort().values
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]).item() / 2
