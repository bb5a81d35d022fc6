"""Pictures made larger and smaller, and looked up between pixels."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

Picture = Float32[ndarray, "h w 3"]
LargePicture = Float32[ndarray, "gh gw 3"]
"""RGB in [0, 1], or a little beyond."""
Places = tuple[Float32[ndarray, "h w"], Float32[ndarray, "h w"]]
LargePlaces = tuple[Float32[ndarray, "gh gw"], Float32[ndarray, "gh gw"]]
"""Column and row in another picture, in pixels whose centres lie at +0.5."""


def enlarged(picture: Float32[ndarray, "h w *c"], scale: int, smooth: bool = True) -> Float32[ndarray, "gh gw *c"]:
    """Times as many pixels along each side, bicubic, or bilinear where not `smooth`."""
    height, width = picture.shape[:2]
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    return cv2.resize(picture, (width * scale, height * scale), interpolation=how)


def reduced(picture: LargePicture, scale: int) -> Picture:
    """What a camera of fewer pixels sees: the mean over each."""
    height, width = picture.shape[:2]
    return cv2.resize(picture, (width // scale, height // scale), interpolation=cv2.INTER_AREA)


def enlarged_places(places: Places, scale: int) -> LargePlaces:
    """The same of an enlarged picture in an enlarged picture."""
    column, row = (enlarged(value, scale, smooth=False) * scale for value in places)
    return column, row


def looked_up(picture: Picture, places: LargePlaces, smooth: bool = True) -> LargePicture:
    """A picture at places, bicubic, or bilinear where not `smooth`; its border goes on beyond it."""
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    return cv2.remap(picture, places[0] - 0.5, places[1] - 0.5, how, borderMode=cv2.BORDER_REPLICATE)


def inside(places: Places, height: int, width: int) -> Float32[ndarray, "h w"]:
    """1 where places lie in a picture, 0 elsewhere."""
    column, row = places
    found = (column >= 0.5) & (row >= 0.5) & (column <= width - 0.5) & (row <= height - 0.5)
    return found.astype(np.float32)
