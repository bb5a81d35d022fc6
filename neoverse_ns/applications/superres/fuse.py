"""Several frames that saw the same a fraction of a pixel apart, as one larger picture.

Iterative back-projection (Irani and Peleg, "Improving Resolution by Image Registration", CVGIP 1991): the larger
picture, seen through each camera and averaged to its pixels, must reproduce every frame; what is missing is added back.
Where a frame does not show what the scene says (something moves, or hides it) its say vanishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from neoverse_ns.applications.superres.config import SuperresConfig
from neoverse_ns.applications.superres.sizes import (
    LargePicture,
    LargePlaces,
    Picture,
    enlarged,
    enlarged_places,
    inside,
    looked_up,
    reduced,
)
from neoverse_ns.applications.superres.surfaces import Surfaces

OWN = 3.0
"""How much a frame's own pixels count, in neighbours: they alone are certainly where they are. With 1 the result is
noisier, and loses up to 0.7 dB on the demo's clip."""
LOOK = 1.0
"""Standard deviation, pixels, of the smoothing before colours are compared: noise is no disagreement."""


@dataclass(frozen=True)
class _Neighbour:
    """A frame that lends.

    Attributes:
        picture: As it is.
        there: Where the enlarged frame's pixels lie in this one, enlarged.
        back: Where this one's enlarged pixels lie in the enlarged frame.
        say: How much it counts, for every enlarged pixel, in [0, 1].
    """

    picture: Picture
    there: LargePlaces
    back: LargePlaces
    say: Float32[ndarray, "gh gw"]


def fuse(
    pictures: Sequence[Picture],
    surfaces: Surfaces,
    frame: int,
    config: SuperresConfig,
    start: LargePicture | None = None,
) -> LargePicture:
    """One frame, enlarged.

    Args:
        pictures: All frames.
        surfaces: Of the same frames.
        frame: Which one.
        config: See :class:`SuperresConfig`.
        start: An enlarged picture whose detail is kept as far as the frames allow; None starts from the bicubic one.

    Returns:
        RGB, `scale` times as large; may leave [0, 1] a little.
    """
    own, scale = pictures[frame], config.scale
    picture = enlarged(own, scale) if start is None else start
    lent = [_neighbour(pictures, surfaces, frame, other, config) for other in neighbours(frame, len(pictures), config)]
    total = OWN + sum(one.say for one in lent)
    for _ in range(config.rounds):
        missing = OWN * enlarged(own - reduced(picture, scale), scale)
        for one in lent:
            error = enlarged(one.picture - reduced(looked_up(picture, one.back), scale), scale)
            missing += one.say[..., None] * looked_up(error, one.there, smooth=False)
        picture = picture + missing / np.asarray(total, np.float32)[..., None]
    return picture


def neighbours(frame: int, count: int, config: SuperresConfig) -> list[int]:
    """The nearest frames on both sides."""
    around = range(frame - config.neighbours, frame + config.neighbours + 1)
    return [other for other in around if other != frame and 0 <= other < count]


def _neighbour(
    pictures: Sequence[Picture], surfaces: Surfaces, frame: int, other: int, config: SuperresConfig
) -> _Neighbour:
    there, back = surfaces.places(frame, other), surfaces.places(other, frame)
    own = pictures[frame]
    apart = cv2.GaussianBlur(looked_up(pictures[other], there) - own, (0, 0), LOOK)
    say = np.exp(-((np.abs(apart).max(-1) / config.tolerance) ** 2)) * inside(there, *own.shape[:2])
    say = enlarged(say.astype(np.float32), config.scale, smooth=False)
    scale = config.scale
    return _Neighbour(pictures[other], enlarged_places(there, scale), enlarged_places(back, scale), say)
