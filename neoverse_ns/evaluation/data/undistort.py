"""Pictures of lenses that bend lines, as a pinhole would have shown them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Shaped

Model = Literal["brown", "fisheye"]
"""OpenCV's two models: Brown's with radial and tangential terms in the slope, and Kannala's with odd powers of the
angle."""


@dataclass(frozen=True)
class Lens:
    """A lens and its sensor.

    Attributes:
        fx: Focal length across, in pixels.
        fy: The same down.
        cx: Principal point in pixels, centres at +0.5.
        cy: The same.
        width: Of its pictures in pixels.
        height: The same.
        coefficients: In OpenCV's order: k1, k2, p1, p2, k3 of Brown's model, k1 to k4 of the fisheye; missing ones
            are 0.
        model: Which.
        skew: How many pixels a slope of 1 down moves across.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    coefficients: tuple[float, ...] = ()
    model: Model = "brown"
    skew: float = 0.0

    @property
    def straight(self) -> bool:
        """It is a pinhole already."""
        return self.model == "brown" and not any(self.coefficients) and self.skew == 0

    @property
    def K(self) -> Float64[np.ndarray, "3 3"]:
        """Of the pinhole that stays where its lines are made straight; without skew."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])

    def scaled(self, width: int, height: int) -> Lens:
        """The same lens, its pictures resized."""
        x, y = width / self.width, height / self.height
        return replace(
            self,
            fx=self.fx * x,
            fy=self.fy * y,
            cx=self.cx * x,
            cy=self.cy * y,
            width=width,
            height=height,
            skew=self.skew * x,
        )

    def seen(
        self, x: Float64[np.ndarray, "*s"], y: Float64[np.ndarray, "*s"]
    ) -> tuple[Float64[np.ndarray, "*s"], Float64[np.ndarray, "*s"]]:
        """Pixels at which rays of slopes x across and y down are seen."""
        bend = _brown if self.model == "brown" else _fisheye
        u, v = bend(x, y, self.coefficients)
        return self.fx * u + self.skew * v + self.cx, self.fy * v + self.cy


@dataclass(frozen=True)
class Straightening:
    """Where every pixel of a pinhole's picture comes from.

    Attributes:
        columns: In the lens's picture, of OpenCV's pixels, whose centres are whole numbers.
        rows: The same.
        inside: That place is in the picture.
    """

    columns: Float32[np.ndarray, "h w"]
    rows: Float32[np.ndarray, "h w"]
    inside: Bool[np.ndarray, "h w"]

    def picture(self, image: Shaped[np.ndarray, "sh sw *c"], border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
        """Colours, bilinear; beyond the border what `border` says."""
        return cv2.remap(image, self.columns, self.rows, cv2.INTER_LINEAR, borderMode=border)

    def labels(self, values: Shaped[np.ndarray, "sh sw"]) -> np.ndarray:
        """Masks or depth, of the nearest pixel, 0 beyond the border."""
        plain = values.astype(np.uint8) if values.dtype == np.bool_ else values
        mapped = cv2.remap(plain, self.columns, self.rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
        return np.where(self.inside, mapped, 0).astype(values.dtype)


@lru_cache(maxsize=8)
def straightening(
    lens: Lens, K: tuple[float, float, float, float] | None = None, size: tuple[int, int] | None = None
) -> Straightening:
    """What makes a lens's pictures those of a pinhole.

    Args:
        lens: Of the pictures.
        K: fx, fy, cx, cy of the pinhole, centres at +0.5; None for the lens's own.
        size: Width and height of the pinhole's pictures; None for the lens's.
    """
    fx, fy, cx, cy = K or (lens.fx, lens.fy, lens.cx, lens.cy)
    width, height = size or (lens.width, lens.height)
    rows, columns = np.mgrid[:height, :width] + 0.5
    x, y = lens.seen((columns - cx) / fx, (rows - cy) / fy)
    inside = (x >= 0) & (x <= lens.width) & (y >= 0) & (y <= lens.height)
    return Straightening((x - 0.5).astype(np.float32), (y - 0.5).astype(np.float32), inside)


def _brown(
    x: Float64[np.ndarray, "*s"], y: Float64[np.ndarray, "*s"], coefficients: tuple[float, ...]
) -> tuple[Float64[np.ndarray, "*s"], Float64[np.ndarray, "*s"]]:
    k1, k2, p1, p2, k3 = (*coefficients, 0.0, 0.0, 0.0, 0.0, 0.0)[:5]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


def _fisheye(
    x: Float64[np.ndarray, "*s"], y: Float64[np.ndarray, "*s"], coefficients: tuple[float, ...]
) -> tuple[Float64[np.ndarray, "*s"], Float64[np.ndarray, "*s"]]:
    k1, k2, k3, k4 = (*coefficients, 0.0, 0.0, 0.0, 0.0)[:4]
    slope = np.hypot(x, y)
    angle = np.arctan(slope)
    a2 = angle * angle
    bent = angle * (1 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4))))
    scale = np.where(slope > 1e-9, bent / np.maximum(slope, 1e-9), 1.0)
    return x * scale, y * scale
