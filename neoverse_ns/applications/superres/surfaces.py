"""Where every frame's pixels lie in other frames, by the scene's cameras and depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from neoverse_ns.applications.superres.sizes import Places
from neoverse_ns.console import progress
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.stage.behind import depth_behind
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project, unproject
from neoverse_ns.rasterize.along import views_along

SURFACE = 0.5
"""Opacity from which on what is drawn has a depth."""


@dataclass(frozen=True)
class Surfaces:
    """Depth of every frame, as the scene shows it.

    Attributes:
        cameras: In float64.
        depth: z-depth without holes, world units.
    """

    cameras: PinholeCameras
    depth: Float32[ndarray, "n h w"]

    @staticmethod
    def of(scene: ExportScene) -> Surfaces:
        """Draw the depth of all sampled frames."""
        cameras = scene.cameras
        depth = []
        with progress("looking how far away everything is", len(cameras)) as steps:
            for view in views_along(scene.gaussians, cameras, scene.times, scene.options):
                drawn, seen = view.drawing.depth[0, ..., 0].cpu(), view.seen[0, ..., 0].cpu() >= SURFACE
                depth.append(depth_behind(drawn, seen).float().numpy())
                steps.advance()
        exact = PinholeCameras(cameras.c2w.double(), cameras.K.double(), cameras.width, cameras.height)
        return Surfaces(exact, np.stack(depth))

    def cropped(self, width: int, height: int) -> Surfaces:
        """The same for frames of which the right and lower border is cut off."""
        cameras = PinholeCameras(self.cameras.c2w, self.cameras.K, width, height)
        return Surfaces(cameras, np.ascontiguousarray(self.depth[:, :height, :width]))

    def reduced(self, scale: int) -> Surfaces:
        """The same for frames of fewer pixels."""
        cameras = self.cameras
        width, height = cameras.width // scale, cameras.height // scale
        K = cameras.K.clone()
        K[:, 0] *= width / cameras.width
        K[:, 1] *= height / cameras.height
        depth = [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in self.depth]
        return Surfaces(PinholeCameras(cameras.c2w, K, width, height), np.stack(depth))

    def places(self, frame: int, other: int) -> Places:
        """Where the pixels of a frame lie in another, if nothing moves; far outside what lies behind that camera."""
        cameras = self.cameras
        depth = torch.from_numpy(self.depth[frame]).double()
        points = unproject(depth, cameras.K[frame], cameras.c2w[frame]).reshape(-1, 3)
        uv, z = project(points, cameras[[other]].viewmats[0], cameras.K[other])
        uv = torch.where(z[:, None] > 0, uv, -1e6).clamp(-1e6, 1e6).float().numpy()
        column, row = uv.reshape(cameras.height, cameras.width, 2).transpose(2, 0, 1).copy()
        return column, row
