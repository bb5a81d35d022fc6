"""The clip's own pixels, moved to where another camera near by sees them.

A drawing is never as sharp as the frame it was made from. Where the steady camera sees what the frame's own camera saw
at the same moment, the frame itself is shown: the drawing's depth says which of its pixels belongs where. What only
other frames saw is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import pixel_centres, project, unproject

SAME_PLACE = 0.6
"""Pixels by which the way to the frame and back may miss: more, and another surface is met there."""
FEATHER = 1.0
"""Pixels over which own pixels begin to show, at the edge of what was seen."""
_GAINS = 0.5, 2.0
"""Differences of exposure between frame and drawing that are believed."""


@dataclass(frozen=True)
class Seen:
    """One camera's picture of a moment.

    Attributes:
        rgb: What is drawn, over the background, in [0, 1].
        depth: z-depth of its surfaces, world units.
        surface: Where there are any.
        camera: One camera.
    """

    rgb: Float[Tensor, "h w 3"]
    depth: Float[Tensor, "h w"]
    surface: Bool[Tensor, "h w"]
    camera: PinholeCameras


def own_cameras(cameras: PinholeCameras, filmed: PinholeCameras) -> Bool[Tensor, " n"]:
    """Where a camera is the very one that filmed the frame: there every pixel is the frame's, however it is drawn."""
    same = (cameras.c2w == filmed.c2w).flatten(1).all(dim=1) & (cameras.K == filmed.K).flatten(1).all(dim=1)
    return same.cpu()


def with_own_pixels(
    steady: Seen, own: Seen, frame: Float[Tensor, "gh gw 3"], otherwise: Float[Tensor, "h w 3"] | None = None
) -> Float[Tensor, "h w 3"]:
    """The steady picture, from the frame where its camera saw what is shown.

    Args:
        steady: What the steady camera sees.
        own: What the frame's camera sees, at the frame's size.
        frame: The frame, in [0, 1].
        otherwise: Shown elsewhere, in the frame's exposure; None shows the drawing.
    """
    uv, z = _where(steady, own.camera)
    trust = torch.from_numpy(_trust(steady, own, uv, z)).to(steady.rgb)[..., None]
    moved = torch.from_numpy(_at(frame.float().cpu().numpy(), uv, cv2.INTER_CUBIC)).to(steady.rgb)
    beneath = (steady.rgb if otherwise is None else otherwise) * _gain(own, frame)
    return torch.lerp(beneath, moved, trust).clamp(0, 1)


def _gain(own: Seen, frame: Float[Tensor, "gh gw 3"]) -> Float[Tensor, "3"]:
    """How much brighter the frame is than its drawing, colour by colour: else seams showed where one meets the other.

    1 where there is hardly anything to compare.
    """
    if not bool(own.surface.any()):
        return torch.ones_like(frame[0, 0])
    bright, drawn = (image[own.surface].mean(dim=0) for image in (frame, own.rgb.to(frame)))
    return torch.where(drawn > 1 / 255, bright / drawn.clamp_min(1 / 255), torch.ones_like(drawn)).clamp(*_GAINS)


def _where(seen: Seen, camera: PinholeCameras) -> tuple[Float32[np.ndarray, "h w 2"], Float32[np.ndarray, "h w"]]:
    """Where the surface at every pixel is in another camera's picture, and how deep there."""
    points = unproject(seen.depth.double(), seen.camera.K[0].double(), seen.camera.c2w[0].double())
    viewmat = torch.linalg.inv(camera.c2w[0].double())
    uv, z = project(points.flatten(0, 1), viewmat, camera.K[0].double())
    shape = seen.depth.shape
    return uv.view(*shape, 2).float().cpu().numpy(), z.view(shape).float().cpu().numpy()


def _trust(
    steady: Seen, own: Seen, uv: Float32[np.ndarray, "h w 2"], z: Float32[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """1 where both cameras see one surface, falling to 0 towards where they do not."""
    height, width = own.depth.shape
    inside = (z > 0) & (uv >= 0.5).all(-1) & (uv[..., 0] <= width - 0.5) & (uv[..., 1] <= height - 0.5)
    # There and back again: what is hidden from the frame's camera comes back elsewhere. In ways rather than places,
    # since the way back is read at the nearest pixel.
    there = uv - pixel_centres(steady.camera.height, steady.camera.width).numpy()
    back = _at(_where(own, steady.camera)[0] - pixel_centres(height, width).numpy(), uv, cv2.INTER_NEAREST)
    solid = _at(own.surface.float().cpu().numpy(), uv, cv2.INTER_NEAREST) > 0
    good = inside & solid & (np.linalg.norm(there + back, axis=-1) <= SAME_PLACE) & steady.surface.cpu().numpy()
    away = cv2.distanceTransform(good.astype(np.uint8), cv2.DIST_L2, 3)
    return np.clip(away / (FEATHER + 1), 0, 1).astype(np.float32)


def _at(values: np.ndarray, uv: Float32[np.ndarray, "h w 2"], how: int) -> np.ndarray:
    """Values at image coordinates, whose pixel centres lie at +0.5."""
    x, y = np.ascontiguousarray(uv[..., 0] - 0.5), np.ascontiguousarray(uv[..., 1] - 0.5)
    return cv2.remap(np.ascontiguousarray(values, dtype=np.float32), x, y, how, borderMode=cv2.BORDER_REPLICATE)
