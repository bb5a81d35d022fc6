"""The keyframes' surfaces: pixels lifted into the world, and which points of the world other frames can see."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from numpy import ndarray

from neoverse_ns.clip.clip import Clip
from neoverse_ns.export.colmap.candidates import sure_pixels
from neoverse_ns.export.colmap.patches import RADIUS
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry

HIDDEN = 0.05
"""Relative difference from a keyframe's depth beyond which a point is taken to be hidden there, or wrong."""


@dataclass(frozen=True)
class Seeds:
    """Pixels of one keyframe in the world, and the places on their surface one pixel to the right and below."""

    pixels: Float[ndarray, "n 2"]
    world: Float[ndarray, "n 3"]
    right: Float[ndarray, "n 3"]
    below: Float[ndarray, "n 3"]


class Surfaces:
    """Depth of the keyframes with the cameras of all frames.

    Attributes:
        keyframes: Positions of the keyframes among the frames.
        size: Width and height of the frames.
        sure: Of every keyframe, the pixels that may become points.
    """

    def __init__(self, clip: Clip, geometry: SceneGeometry, cameras: PinholeCameras) -> None:
        self.keyframes, self.size = geometry.keyframes, np.array([clip.width, clip.height])
        self._depth = geometry.depth.numpy()
        self._K, self._c2w = (t.detach().to(torch.float64).numpy() for t in (cameras.K, cameras.c2w))
        self._w2c = np.linalg.inv(self._c2w)
        self._ignored = None if clip.ignored is None else clip.ignored.numpy()
        left_out = geometry.dynamic.numpy()
        if self._ignored is not None:
            left_out = left_out | self._ignored[self.keyframes]
        self._still = ~left_out
        confidence = geometry.confidence.numpy()
        self.sure = [sure_pixels(*each, RADIUS + 1) for each in zip(self._depth, confidence, left_out, strict=True)]

    def lift(self, index: int, rows: Int64[ndarray, " n"], columns: Int64[ndarray, " n"]) -> Seeds:
        """World points of a keyframe's pixels, none of them within two pixels of the border."""
        home = self.keyframes[index]
        depth = self._depth[index].astype(np.float64)
        # Inverse depth is linear on a plane, whose slope a mean over some pixels tells better than neighbours do.
        smooth = cv2.blur(1 / depth, (5, 5))
        slope_x = (smooth[rows, columns + 2] - smooth[rows, columns - 2]) / 4
        slope_y = (smooth[rows + 2, columns] - smooth[rows - 2, columns]) / 4
        pixels, at = np.stack([columns, rows], -1) + 0.5, 1 / depth[rows, columns]

        def world(step: tuple[int, int], inverse: ndarray) -> ndarray:
            K, z = self._K[home], 1 / np.maximum(inverse, 0.1 * at)
            in_plane = (pixels + step - K[:2, 2]) / K[[0, 1], [0, 1]] * z[:, None]
            return np.concatenate([in_plane, z[:, None]], -1) @ self._c2w[home, :3, :3].T + self._c2w[home, :3, 3]

        return Seeds(pixels, world((0, 0), at), world((1, 0), at + slope_x), world((0, 1), at + slope_y))

    def project(self, world: Float[ndarray, "n 3"], frame: int) -> tuple[Float[ndarray, "n 2"], Float[ndarray, " n"]]:
        """Places in the picture, and z-depths; places mean something only where these are positive."""
        camera = world @ self._w2c[frame, :3, :3].T + self._w2c[frame, :3, 3]
        z = camera[:, 2]
        divisor = np.where(np.abs(z) < 1e-9, 1e-9, z)[:, None]
        return camera[:, :2] / divisor * self._K[frame][[0, 1], [0, 1]] + self._K[frame][:2, 2], z

    def confirmed(self, world: Float[ndarray, "n 3"], index: int) -> Bool[ndarray, " n"]:
        """Points of a keyframe that lie on the surface of the one before or after, as far as these can tell.

        A point that neither has in its picture is believed; one that both have, and put elsewhere, is not.
        """
        count = len(self.keyframes)
        told, agreed = np.zeros(len(world), bool), np.zeros(len(world), bool)
        for other in (k for k in (index - 1, index + 1) if 0 <= k < count):
            uv, z = self.project(world, self.keyframes[other])
            told |= self.inside(uv, self.keyframes[other]) & (z > 0)
            agreed |= self._on_surface(world, other)
        return agreed | ~told

    def visible(self, world: Float[ndarray, "n 3"], frame: int, home: int) -> Bool[ndarray, " n"]:
        """Points on the surface of a keyframe beside `frame`, or of `frame` itself where it is one.

        What both neighbours see something else in front of, `frame` will hardly see. `home` is the keyframe that the
        points were lifted from, which has them by definition.
        """
        if frame in self.keyframes:
            return self._on_surface(world, self.keyframes.index(frame))
        before = max((k for k in self.keyframes if k < frame), default=home)
        after = min((k for k in self.keyframes if k > frame), default=home)
        if home in (before, after):
            return np.ones(len(world), bool)
        return self._on_surface(world, self.keyframes.index(before)) | self._on_surface(
            world, self.keyframes.index(after)
        )

    def inside(self, uv: Float[ndarray, "n 2"], frame: int) -> Bool[ndarray, " n"]:
        """Places whose patches lie in the picture, and that are no ignored pixels of `frame`."""
        # Comparison with NaN is false.
        within = np.all((uv >= RADIUS) & (uv <= self.size - RADIUS), axis=-1)
        if self._ignored is not None:
            column, row = self._pixel(uv)
            within = within & ~self._ignored[frame][row, column]
        return within

    def _on_surface(self, world: Float[ndarray, "n 3"], index: int) -> Bool[ndarray, " n"]:
        uv, z = self.project(world, self.keyframes[index])
        column, row = self._pixel(uv)
        close = np.abs(z / self._depth[index][row, column] - 1) < HIDDEN
        return close & self._still[index][row, column] & self.inside(uv, self.keyframes[index])

    def _pixel(self, uv: Float[ndarray, "n 2"]) -> Int64[ndarray, "2 n"]:
        return np.nan_to_num(uv).clip(0, self.size - 1).astype(np.int64).T
