"""Turning a frame as its display matrix says."""

from __future__ import annotations

import struct

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame
from jaxtyping import UInt8


def frame_orientation(frame: VideoFrame) -> tuple[int, int, int, int]:
    """Signs (a, b, c, d) of the display matrix: displayed x = a x + c y, displayed y = b x + d y."""
    # `frame.side_data` keeps the frame that keeps it, and Python frees such pairs by their number, not their size: a
    # hundred frames later. A container of our own goes with this call. The stubs do not know that it can be made.
    data = SideDataContainer(frame).get("DISPLAYMATRIX")  # pyright: ignore[reportCallIssue]
    if data is None:
        return 1, 0, 0, 1
    matrix = struct.unpack("<5i", bytes(data)[:20])
    a, b, _, c, d = (0 if abs(v) < 1 << 15 else (1 if v > 0 else -1) for v in matrix)
    # Oblique rotations cannot be undone by turning pixels; players show those frames as they are, too.
    return (a, b, c, d) if abs(a * d - b * c) == 1 and a * b == 0 else (1, 0, 0, 1)


def turned_upright(image: UInt8[np.ndarray, "h w c"], signs: tuple[int, int, int, int]) -> UInt8[np.ndarray, "uh uw c"]:
    """Turn and flip an image by the signs of its display matrix."""
    a, b, c, d = signs
    if a == 0:
        image, a, d = np.swapaxes(image, 0, 1), c, b
    return image[::d, ::a]
