"""What of a clip's picture is no part of the world and must not enter the geometry: given, found, and said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool
from numpy import ndarray

from neoverse_ns.clip.borders import find_borders
from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.lens_border import find_lens_border
from neoverse_ns.console import say
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.flow.masked_flow import filled_frames
from neoverse_ns.reconstruct.bundle.flow.standing import find_standing

SAMPLES = 9
"""Frames in which bars are looked for."""
ALWAYS = 0.8
"""Share of the frames in which a given pixel must be ignored to count as known when others are looked for."""
NAMED = 3
"""Places that are named, the largest ones."""
CORNERS = frozenset({"upper left", "upper right", "lower left", "lower right"})
SMALLEST = 0.001
"""Share of the picture below which a part is not worth naming."""


def leave_out(clip: Clip, config: BundleConfig) -> tuple[Clip, dict[str, Any]]:
    """The clip with everything that is no part of the world in `Clip.ignored`, and what the report says of it.

    Taken together are the pixels that came with the clip (transparent, or masked by the user), bars beside the picture,
    and what stays put while the world moves. Says in one line what was found.
    """
    found = _found(clip, config) if config.overlays == "auto" else {}
    ignored = clip.ignored
    for mask in found.values():
        whole = torch.from_numpy(mask).expand(len(clip), -1, -1)
        ignored = whole.clone() if ignored is None else ignored | whole
    if ignored is None or not bool(ignored.any()):
        return clip, {"ignored_share": 0.0}
    facts: dict[str, Any] = {"ignored_share": float(ignored.float().mean())}
    if clip.ignored is not None:
        facts["ignored_given"] = float(clip.ignored.float().mean())
    for name, mask in found.items():
        facts[f"ignored_{name}"] = float(mask.mean())
    if "standing" in found:
        facts["ignored_where"] = where = describe_places(found["standing"])
        say(
            f"what never moves in the picture while the rest does is left out of everything ({where} of it: own "
            "vehicle, overlay or lens edge); --bundle.overlays none keeps it"
        )
    if "bars" in found:
        say(f"bars beside the picture ({found['bars'].mean():.0%} of it) are left out of everything")
    if clip.ignored is not None:
        say(f"{facts['ignored_given']:.0%} of the picture is ignored as given")
    return replace(clip, ignored=ignored), facts


def world_of(clip: Clip) -> Clip:
    """The same clip with ignored pixels filled smoothly, for whatever looks at its pixels to measure."""
    if clip.ignored is None:
        return clip
    return replace(clip, frames=torch.from_numpy(filled_frames(clip.frames.numpy(), clip.ignored.numpy())))


def _found(clip: Clip, config: BundleConfig) -> dict[str, Bool[ndarray, "h w"]]:
    frames, result = clip.frames.numpy(), {}
    given = np.zeros(frames.shape[1:3], bool)
    if clip.ignored is not None:
        given = clip.ignored.float().mean(0).numpy() >= ALWAYS
    borders = find_borders(frames[np.unique(np.linspace(0, len(clip) - 1, SAMPLES).round().astype(int))])
    if borders is not None and len(clip) > 1:
        result["bars"] = borders.outside(clip.height, clip.width)
        given = given | result["bars"]
    border = find_lens_border(frames) if len(clip) > 1 and borders is None else None
    if border is not None:
        given = given | border
    standing = find_standing(frames, config.flow_noise, given)
    parts = [mask for mask in (border, standing) if mask is not None]
    if parts:
        result["standing"] = np.logical_or.reduce(parts)
    return result


def describe_places(mask: Bool[ndarray, "h w"]) -> str:
    """Where the parts of a mask lie and how much of the picture they cover: "bottom 23 % and upper left 4 %"."""
    count, _, facts, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    order = sorted(range(1, count), key=lambda k: -facts[k, cv2.CC_STAT_AREA])
    places: dict[str, float] = {}
    for k in order:
        share = float(facts[k, cv2.CC_STAT_AREA]) / mask.size
        if share < SMALLEST:
            continue
        place = _place(middles[k], facts[k], mask.shape)
        places[place] = places.get(place, 0.0) + share
    if places.keys() >= CORNERS:
        places["corners"] = sum(places.pop(corner) for corner in CORNERS)
    named = sorted(places.items(), key=lambda item: -item[1])[:NAMED]
    return " and ".join(f"{name} {share:.0%}" if share >= 0.01 else f"{name} {share:.1%}" for name, share in named)


def _place(middle: ndarray, facts: ndarray, shape: tuple[int, ...]) -> str:
    """A word for where a part lies."""
    height, width = shape
    wide, high = facts[cv2.CC_STAT_WIDTH] > 0.6 * width, facts[cv2.CC_STAT_HEIGHT] > 0.6 * height
    if wide and high:
        return "border"
    vertical = "upper" if middle[1] < height / 3 else "lower" if middle[1] > 2 * height / 3 else ""
    horizontal = "left" if middle[0] < width / 3 else "right" if middle[0] > 2 * width / 3 else ""
    if wide and vertical:
        return "top" if vertical == "upper" else "bottom"
    if high and horizontal:
        return f"{horizontal} side"
    return " ".join(word for word in (vertical, horizontal) if word) or "middle"
