"""What steady cameras see that the clip never saw, and the largest part of the picture without it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.along import views_along
from neoverse_ns.render.pictures import SURFACE
from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass(frozen=True)
class Part:
    """An upright part of a picture with the picture's shape, in shares of its sides.

    Attributes:
        left: Of its left edge.
        top: Of its upper edge.
        side: Its width over the picture's width, and its height over the picture's height.
        clean: Whether it shows nothing that was never seen.
    """

    left: float = 0.0
    top: float = 0.0
    side: float = 1.0
    clean: bool = True

    @property
    def cut(self) -> float:
        """Share of width and height that is cut away."""
        return 1.0 - self.side

    def of(self, cameras: PinholeCameras) -> PinholeCameras:
        """Cameras that show this part alone, at the full size."""
        K = cameras.K.clone()
        K[:, 0, 2] -= self.left * cameras.width
        K[:, 1, 2] -= self.top * cameras.height
        K[:, :2] /= self.side
        return PinholeCameras(cameras.c2w, K, cameras.width, cameras.height)


def unseen_borders(scene: ExportScene, trajectory: Trajectory, longest: int) -> Bool[Tensor, "h w"]:
    """Pixels of small pictures that some frame shows without a surface, in a region that touches the picture's edge.

    Holes inside, behind what moved away, are left out: no crop would help.

    Args:
        scene: What is drawn.
        trajectory: Cameras and times.
        longest: Longer side of the pictures, pixels.
    """
    cameras = trajectory.cameras
    scale = min(1.0, longest / max(cameras.width, cameras.height))
    small = trajectory.resized(max(round(scale * cameras.width), 1), max(round(scale * cameras.height), 1), "all")
    found = torch.zeros(small.cameras.height, small.cameras.width, dtype=torch.bool)
    for view in views_along(scene.gaussians, small.cameras, small.times.clamp(0, 1), scene.options):
        found |= at_edge(view.seen[0, ..., 0].cpu() < SURFACE)
    return found


def at_edge(unseen: Bool[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """Those connected regions that reach the edge."""
    _, labels = cv2.connectedComponents(unseen.numpy().astype(np.uint8), connectivity=8)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return torch.from_numpy(np.isin(labels, edge[edge > 0]))


def largest_part(unseen: Bool[Tensor, "h w"], max_cut: float) -> Part:
    """The largest part without an unseen pixel, the nearest to the middle of these.

    Where it would be smaller than `1 - max_cut`, a part of that size with the fewest unseen pixels.

    Args:
        unseen: What shall not be shown.
        max_cut: See above.
    """
    height, width = unseen.shape
    sums = np.zeros((height + 1, width + 1), dtype=np.int64)
    sums[1:, 1:] = unseen.numpy().cumsum(0).cumsum(1)
    if sums[-1, -1] == 0:
        return Part()
    # A part that is free has smaller ones inside that are, too: the largest can be halved for.
    least = min(max(round((1 - max_cut) * width), 1), width)
    low, high = least, width
    while low < high:
        middle = (low + high + 1) // 2
        if _counts(sums, middle).min() == 0:
            low = middle
        else:
            high = middle - 1
    counts = _counts(sums, low)
    rows, columns = np.nonzero(counts == counts.min())
    side = low / width
    off = (rows - (height - side * height) / 2) ** 2 + (columns - (width - low) / 2) ** 2
    best = int(off.argmin())
    top = min(float(rows[best]) / height, 1 - side)
    return Part(float(columns[best]) / width, top, side, clean=bool(counts.min() == 0))


def _counts(sums: Int[np.ndarray, "sh sw"], side: int) -> Int[np.ndarray, "rows columns"]:
    """Unseen pixels in every part that is `side` pixels wide, by its upper left pixel."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    tall = min(int(np.ceil(side * height / width)), height)
    return sums[tall:, side:] - sums[:-tall, side:] - sums[tall:, :-side] + sums[:-tall, :-side]
