"""A scene's points and camera paths on a flat plan, seen along one direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras

FINER = 2
"""Pixels drawn per pixel kept, along each axis."""
_VISIBLE = 0.3
"""Opacity from which on a Gaussian is a point of the plan."""
_PALE = 0.35
"""How much of the points' colour gives way to white, so that paths stand out."""


@dataclass(frozen=True)
class ScenePoints:
    """What of a scene is shown on a plan.

    Attributes:
        places: World units.
        rgb: In [0, 1].
    """

    places: Float[Tensor, "n 3"]
    rgb: Float[Tensor, "n 3"]


def scene_points(gaussians: LayeredGaussians, time: float) -> ScenePoints:
    """Centres and plain colours of the surfaces at a normalised time, on the CPU."""
    places, rgb = [], []
    for name, layer in gaussians.items():
        if not LAYERS[name].is_surface:
            continue
        now = at_time(layer.detach(), time)
        shown = now.opacities > _VISIBLE
        places.append(now.means[shown].cpu())
        rgb.append((0.5 + SH_C0 * now.sh[shown, 0]).clamp(0, 1).cpu())
    return ScenePoints(torch.cat(places), torch.cat(rgb))


class Plan:
    """A plan of a given size, on which points and paths are drawn.

    Args:
        across: World direction that goes to the right on it, unit length.
        up: World direction that goes up on it, unit length.
        bounds: World places that must be on it.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
    """

    def __init__(
        self,
        across: Float[Tensor, "3"],
        up: Float[Tensor, "3"],
        bounds: Float[Tensor, "n 3"],
        width: int,
        height: int,
    ) -> None:
        self._axes = torch.stack([across, -up]).double()
        flat = bounds.double() @ self._axes.T
        low, high = flat.amin(dim=0), flat.amax(dim=0)
        span = (high - low).clamp_min(1e-6)
        size = torch.tensor([width, height], dtype=torch.float64) * FINER
        self.scale = float((0.88 * size / span).min())
        self._origin = size / 2 - self.scale * (low + high) / 2
        self._picture = np.full((height * FINER, width * FINER, 3), 255, dtype=np.uint8)

    def points(self, points: ScenePoints) -> None:
        """Draw a scene's points: the mean colour where they fall, stronger where there are many."""
        height, width = self._picture.shape[:2]
        place = self._place(points.places).floor().long()
        inside = (place >= 0).all(dim=1) & (place[:, 0] < width) & (place[:, 1] < height)
        cells = (place[inside, 1] * width + place[inside, 0]).numpy()
        count = np.bincount(cells, minlength=height * width).astype(np.float32)
        rgb = points.rgb[inside].numpy()
        sums = np.stack([np.bincount(cells, rgb[:, c], height * width) for c in range(3)], axis=-1).astype(np.float32)
        # A point is a little larger than a pixel, so that surfaces close.
        count, sums = (cv2.GaussianBlur(v.reshape(height, width, -1), (0, 0), 1.5) for v in (count, sums))
        colour = _PALE + (1 - _PALE) * sums / np.maximum(count, 1e-6)[..., None]
        cover = (1 - np.exp(-6 * count))[..., None]
        self._picture = np.clip(255 * (cover * colour + 1 - cover), 0, 255).astype(np.uint8)

    def path(self, centres: Float[Tensor, "n 3"], colours: Sequence[tuple[int, int, int]], thickness: int) -> None:
        """Draw a path, piece by piece in the colours of its frames."""
        places = self._fine(centres)
        for i in range(1, len(places)):
            cv2.line(self._picture, places[i - 1], places[i], colours[i], thickness * FINER, cv2.LINE_AA, _SHIFT)

    def camera(self, cameras: PinholeCameras, index: int, size: float, colour: tuple[int, int, int]) -> None:
        """Draw one camera as the pyramid that it looks through, filled.

        Args:
            cameras: Some cameras.
            index: Which of them.
            size: Length of the pyramid, world units.
            colour: RGB.
        """
        K, c2w = cameras.K[index].double(), cameras.c2w[index].double()
        w, h = float(cameras.width), float(cameras.height)
        corners = torch.tensor([[0, 0, 1], [w, 0, 1], [w, h, 1], [0, h, 1]], dtype=torch.float64)
        rays = corners @ torch.linalg.inv(K).T * size
        world = torch.cat([torch.zeros(1, 3, dtype=torch.float64), rays]) @ c2w[:3, :3].T + c2w[:3, 3]
        places = np.array(self._fine(world), dtype=np.int32)
        hull = cv2.convexHull(places)
        layer = self._picture.copy()
        cv2.fillConvexPoly(layer, hull, colour, cv2.LINE_AA, _SHIFT)
        self._picture = cv2.addWeighted(layer, 0.35, self._picture, 0.65, 0)
        for a, b in [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1)]:
            start, end = tuple(places[a].tolist()), tuple(places[b].tolist())
            cv2.line(self._picture, start, end, colour, FINER, cv2.LINE_AA, _SHIFT)

    def ring(self, centre: Float[Tensor, "3"], radius: int, colour: tuple[int, int, int]) -> None:
        """Draw a ring around a place, `radius` in pixels."""
        place = self._fine(centre[None])[0]
        unit = FINER << _SHIFT
        cv2.circle(self._picture, place, radius * unit, colour, 2 * FINER, cv2.LINE_AA, _SHIFT)

    def dot(self, centre: Float[Tensor, "3"], radius: int, colour: tuple[int, int, int]) -> None:
        """Draw a filled disc, `radius` in pixels."""
        place = self._fine(centre[None])[0]
        cv2.circle(self._picture, place, radius * (FINER << _SHIFT), colour, -1, cv2.LINE_AA, _SHIFT)

    def target(self, centre: Float[Tensor, "3"], radius: int, colour: tuple[int, int, int]) -> None:
        """Draw a ring with a cross through it, `radius` in pixels, with a white rim."""
        x, y = self._fine(centre[None])[0]
        arm = round(1.6 * radius) * (FINER << _SHIFT)
        for shade, thickness in (((255, 255, 255), 5 * FINER), (colour, 2 * FINER)):
            cv2.circle(self._picture, (x, y), radius * (FINER << _SHIFT), shade, thickness, cv2.LINE_AA, _SHIFT)
            for across, down in ((arm, 0), (0, arm)):
                ends = (x - across, y - down), (x + across, y + down)
                cv2.line(self._picture, *ends, shade, thickness, cv2.LINE_AA, _SHIFT)

    def position(self, place: Float[Tensor, "3"]) -> tuple[float, float]:
        """Where a place is on the finished picture, pixels."""
        x, y = (self._place(place[None])[0] / FINER).tolist()
        return x, y

    def picture(self) -> UInt8[np.ndarray, "h w 3"]:
        """What was drawn."""
        height, width = (side // FINER for side in self._picture.shape[:2])
        return cv2.resize(self._picture, (width, height), interpolation=cv2.INTER_AREA)

    def _place(self, places: Float[Tensor, "n 3"]) -> Tensor:
        return self.scale * (places.double() @ self._axes.T) + self._origin

    def _fine(self, places: Float[Tensor, "n 3"]) -> list[tuple[int, int]]:
        """In the fractions of pixels that OpenCV draws lines with."""
        # What lies far outside would overflow; lines to it still leave the picture in its direction.
        fine = (self._place(places).clamp(-2e4, 2e4) * (1 << _SHIFT)).round().long()
        return [(int(x), int(y)) for x, y in fine.tolist()]


_SHIFT = 4
"""Bits of OpenCV's fractions of pixels."""
