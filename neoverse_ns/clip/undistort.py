"""Frames of a lens with radial distortion as a pinhole would have shown them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.geometry.radial_lens import distort

BISECTIONS = 30
"""Halvings of the interval in which the new focal length is looked for."""


def undistorted(clip: Clip, focal: float, radial: float) -> tuple[Clip, float]:
    """The same frames through a pinhole, tracking frames like the sampled ones, and its focal length over width.

    The pinhole sees as much as it can without seeing beyond the borders of any frame.

    Args:
        clip: Frames of one lens, whose axis meets the middle of the image.
        focal: Its focal length over width.
        radial: Its coefficient, see :mod:`neoverse_ns.geometry.radial_lens`.
    """
    width, height = clip.width, clip.height
    fitting = _widest(focal, radial, height / width)
    y, x = np.mgrid[:height, :width] + 0.5
    slopes = np.stack([x - width / 2, y - height / 2]).reshape(2, -1) / (fitting * width)
    seen = _seen(torch.from_numpy(slopes), radial).numpy() * focal * width
    columns = (seen[0] + width / 2 - 0.5).reshape(height, width).astype(np.float32)
    rows = (seen[1] + height / 2 - 0.5).reshape(height, width).astype(np.float32)

    def mapped(image: np.ndarray, how: int) -> np.ndarray:
        return cv2.remap(image, columns, rows, how, borderMode=cv2.BORDER_REPLICATE)

    frames = np.stack([mapped(frame, cv2.INTER_CUBIC) for frame in clip.frames.numpy()])
    ignored = clip.ignored
    if ignored is not None:
        masks = [mapped(mask.astype(np.uint8), cv2.INTER_NEAREST) > 0 for mask in ignored.numpy()]
        ignored = torch.from_numpy(np.stack(masks))
    tracking = clip.tracking
    if tracking is not None:
        grey = np.stack([mapped(picture, cv2.INTER_CUBIC) for picture in tracking.grey.numpy()])
        tracking = replace(tracking, grey=torch.from_numpy(grey))
    return replace(clip, frames=torch.from_numpy(frames), ignored=ignored, tracking=tracking), fitting


def _widest(focal: float, radial: float, aspect: float) -> float:
    """The shortest focal length over width whose picture's border lies inside the distorted picture."""
    along = torch.linspace(-0.5, 0.5, 65, dtype=torch.float64)
    half = torch.full_like(along, 0.5)
    border = torch.cat([torch.stack([along, half * aspect]), torch.stack([half, along * aspect])], 1)

    def inside(candidate: float) -> bool:
        seen = _seen(border / candidate, radial) * focal
        return bool((seen[0].abs() <= 0.5 + 1e-9).all() and (seen[1].abs() <= 0.5 * aspect + 1e-9).all())

    short, long = 0.2 * focal, 5.0 * focal
    for _ in range(BISECTIONS):
        middle = (short * long) ** 0.5
        short, long = (short, middle) if inside(middle) else (middle, long)
    return long


def _seen(slopes: Float[Tensor, "2 p"], radial: float) -> Float[Tensor, "2 p"]:
    return distort(slopes, torch.tensor(radial, dtype=torch.float64))
