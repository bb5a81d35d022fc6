"""What the frames of a clip saw of a surface: real pixels, looked up along the scene's own cameras and depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Float64
from numpy import ndarray
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.errors import RunError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.reconstruct.motion_masks import moving_pixels

SAME_SURFACE = 0.04
"""Relative difference of depth up to which a frame is taken to show the point asked for, and not what hides it."""
MASK_MARGIN = 0.012
"""Pixels around what moves that are not trusted, either, as a share of the width: masks end a little too early."""
EDGE = 0.06
"""How far a pixel's inverse depth may lie, relatively, from between its neighbours' before it may float off an edge."""

_SMALLEST_DEPTH = 1e-6


@dataclass(frozen=True)
class Sighting:
    """What one frame shows of many points.

    Attributes:
        colours: RGB in [0, 1] (or a little beyond: cubic interpolation overshoots).
        seen: Whether the frame shows that very point, and nothing that moves.
    """

    colours: Float32[ndarray, "h w 3"]
    seen: Bool[ndarray, "h w"]


@dataclass(frozen=True)
class Witnesses:
    """The sampled frames of a clip with what the scene knows of each.

    Attributes:
        lenders: Which of them lend to other pictures, ascending: the training frames, whose cameras are sure.
        images: RGB in [0, 1].
        depth: z-depth of all that the scene shows there, world units.
        moving: Pixels that move, that lie beside what does, or that are no part of the world.
        cameras: One per frame, float64.
        times: Normalised.
    """

    lenders: list[int]
    images: Float32[ndarray, "n h w 3"]
    depth: Float32[ndarray, "n h w"]
    moving: Bool[ndarray, "n h w"]
    cameras: PinholeCameras
    times: Float64[ndarray, " n"]

    def __len__(self) -> int:
        return len(self.images)

    @staticmethod
    def of(scene: ExportScene) -> Witnesses:
        """The frames of a scene.

        Args:
            scene: With what it was made from.

        Raises:
            RunError: Only Gaussians are known of the scene, no frames.
        """
        origin = scene.source
        if origin is None:
            raise RunError("this scene has no frames to look anything up in: load it from its run")
        cameras, depth, moving = scene.cameras, [], []
        with progress("looking at what the clip saw", len(cameras)) as steps:
            for frame, view in enumerate(views_along(scene.gaussians, cameras, scene.times, scene.options)):
                depth.append(view.drawing.depth[0, ..., 0].cpu().float().numpy())
                mask = moving_pixels(origin.clip, origin.geometry, frame)
                if origin.clip.ignored is not None:
                    mask = mask | origin.clip.ignored[frame]
                moving.append(widened(mask.numpy(), margin_of(mask.shape[1])))
                steps.advance()
        images = origin.clip.frames.numpy().astype(np.float32) / 255
        exact = PinholeCameras(cameras.c2w.double(), cameras.K.double(), cameras.width, cameras.height)
        times = scene.times.double().numpy()
        return Witnesses(sorted(origin.split.train), images, np.stack(depth), np.stack(moving), exact, times)

    def spread(self, most: int) -> list[int]:
        """Of more lenders than `most`, so many, evenly in time."""
        count = len(self.lenders)
        if count <= most:
            return self.lenders
        return [self.lenders[round(i)] for i in np.linspace(0, count - 1, most)]

    def look_up(self, number: int, points: Float[Tensor, "h w 3"]) -> Sighting:
        """What witness `number` shows of world points.

        Args:
            number: From 0.
            points: On surfaces that stand still.
        """
        x, y, z = self.places(number, points)
        colours = cv2.remap(self.images[number], x - 0.5, y - 0.5, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        inside = (z > 0) & (x >= 0.5) & (y >= 0.5)
        inside &= (x <= self.cameras.width - 0.5) & (y <= self.cameras.height - 0.5)
        moves = cv2.remap(self.moving[number].astype(np.uint8), x - 0.5, y - 0.5, cv2.INTER_NEAREST) > 0
        # The inverse depth of a plane is linear in the picture; at edges the nearest pixel alone is right.
        near = 1 / np.maximum(self.depth[number], _SMALLEST_DEPTH)
        same = np.zeros_like(inside)
        for how in (cv2.INTER_LINEAR, cv2.INTER_NEAREST):
            same |= np.abs(cv2.remap(near, x - 0.5, y - 0.5, how) * z - 1) < SAME_SURFACE
        return Sighting(colours, inside & same & ~moves)

    def places(
        self, number: int, points: Float[Tensor, "h w 3"]
    ) -> tuple[
        Float32[ndarray, "h w"],  # column in pixels of witness `number`, centres at +0.5
        Float32[ndarray, "h w"],  # row
        Float32[ndarray, "h w"],  # z-depth, not positive behind it
    ]:
        """Where world points lie in a witness."""
        camera = self.cameras[[number]]
        uv, z = project(points.reshape(-1, 3).double(), camera.viewmats[0], camera.K[0])
        uv = uv.clamp(-1e6, 1e6).float().numpy().reshape(*points.shape[:2], 2)
        return uv[..., 0].copy(), uv[..., 1].copy(), z.float().numpy().reshape(points.shape[:2])


def margin_of(width: int) -> int:
    """Pixels around what moves that are not trusted."""
    return max(2, round(MASK_MARGIN * width))


def widened(mask: Bool[ndarray, "h w"], margin: int) -> Bool[ndarray, "h w"]:
    """A mask with everything within `margin` pixels."""
    side = 2 * margin + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0
