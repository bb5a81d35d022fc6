"""Telling by looking that both halves of a picture show the same scene, as seen by two eyes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from neoverse_ns.clip.view.layout import Stereo

# Each half is compared at this size, in blocks that may shift sideways by 12 % of its width and hardly up or down.
_WIDTH, _HEIGHT = 128, 96
_BLOCK = 16
_ASIDE, _UP = 16, 2
# Spread of grey values from which a block can be told from others, and how many such blocks a half needs.
_TEXTURE = 5.0
_FEWEST = 10
# Correlation at which a block is found again.
_FOUND = 0.8
# Where blocks of patterns are found again as well, but those of a scene are not: rows down, columns aside.
_ELSEWHERE = ((_HEIGHT // 3, 0), (_HEIGHT // 2, 0), (0, _WIDTH // 2), (_HEIGHT // 3, _WIDTH // 3))
# Least share of blocks that is found near its place, absolute and against what is found elsewhere. Measured: pairs of
# wide and narrow bases 0.4 to 0.9, and 15 times; ordinary, mirrored and divided pictures of 18 clips at most 1.4 times.
_LEAST_SHARE, _LEAST_RATIO = 0.35, 3.0
# How much the picture jumps where both halves meet, against the places around: one continuous picture does not. Seen
# from close up and from afar, where fine texture is gone that jumps everywhere.
_LEAST_JUMP = 1.7
_AFAR = 96


def find_pair(images: Sequence[UInt8[np.ndarray, "h w 3"]]) -> Stereo | None:
    """Whether pictures hold two views of the same scene, beside or above each other; None where most do not.

    Mirrored halves, patterns and symmetric scenes are none: blocks of one half must be found again in the other, each
    at its height and close to its place, but not elsewhere, and the picture must break where the halves meet.
    """
    votes = [vote for vote in (_pair(image) for image in images) if vote != "blank"]
    for stereo in ("beside", "above"):
        if votes and 3 * votes.count(stereo) >= 2 * len(votes):
            return stereo
    return None


def _pair(image: UInt8[np.ndarray, "h w 3"]) -> str:
    """ "beside", "above", "none", or "blank" where a picture shows too little to tell."""
    gray = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32)
    if min(gray.shape) < 32:
        return "none"
    if gray.std() < _TEXTURE:
        return "blank"
    for stereo, turned in (("beside", gray), ("above", gray.T)):
        half = turned.shape[1] // 2
        first, second = turned[:, :half], turned[:, -half:]
        if stereo == "above":
            first, second = first.T, second.T
        afar = cv2.resize(turned, (_AFAR, _AFAR), interpolation=cv2.INTER_AREA)
        if max(_jump(turned), _jump(afar)) >= _LEAST_JUMP and _same_scene(first, second):
            return stereo
    return "none"


def _jump(gray: Float32[np.ndarray, "h w"]) -> float:
    """Difference across the middle column over the median of those around; steps of 3, so that blur hides nothing."""
    middle = gray.shape[1] // 2
    reach = max(min(24, middle - 4), 1)
    steps = [float(np.abs(gray[:, c + 1] - gray[:, c - 2]).mean()) for c in range(middle - reach, middle + reach)]
    around = float(np.median(steps))
    return max(steps[reach - 1 : reach + 2]) / (around + 0.5)


def _same_scene(first: Float32[np.ndarray, "h w"], second: Float32[np.ndarray, "h w"]) -> bool:
    # The rims of bars above and below would be found again anywhere along them.
    filled = np.flatnonzero(np.maximum(first.std(axis=1), second.std(axis=1)) >= _TEXTURE)
    if len(filled) < _BLOCK:
        return False
    first, second = first[filled[0] + 1 : filled[-1]], second[filled[0] + 1 : filled[-1]]
    a = cv2.resize(first, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    b = cv2.resize(second, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    share = _share_found(a, b)
    if share < _LEAST_SHARE:
        return False
    elsewhere = (np.roll(b, place, axis=(0, 1)) for place in _ELSEWHERE)
    return _LEAST_RATIO * max(_share_found(a, other) for other in elsewhere) <= share


def _share_found(a: Float32[np.ndarray, "h w"], b: Float32[np.ndarray, "h w"]) -> float:
    """Share of textured blocks of `a` that `b` shows again close to their place."""
    padded = cv2.copyMakeBorder(b, _UP, _UP, _ASIDE, _ASIDE, cv2.BORDER_REPLICATE)
    scores = []
    for y, x in itertools.product(range(0, _HEIGHT, _BLOCK), range(0, _WIDTH, _BLOCK)):
        block = a[y : y + _BLOCK, x : x + _BLOCK]
        if block.std() < _TEXTURE:
            continue
        window = padded[y : y + _BLOCK + 2 * _UP, x : x + _BLOCK + 2 * _ASIDE]
        scores.append(float(cv2.matchTemplate(window, block, cv2.TM_CCOEFF_NORMED).max()))
    return float(np.mean([score >= _FOUND for score in scores])) if len(scores) >= _FEWEST else 0.0
