"""Cameras as LLFF writes them: poses_bounds.npy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.datafiles.intrinsics import pinhole
from neoverse_ns.datafiles.reading import read_array, rigid
from neoverse_ns.errors import ClipError


@dataclass(frozen=True)
class LlffCamera:
    """One row of the file.

    Attributes:
        c2w: Camera to world, OpenCV axes, in the file's own unit.
        width: Of the pictures that were solved, in pixels.
        height: The same.
        focal: In their pixels.
    """

    c2w: Float64[Tensor, "4 4"]
    width: float
    height: float
    focal: float

    def K(self, size: tuple[int, int]) -> Float64[Tensor, "3 3"]:
        """Intrinsics of the same picture at another width and height, by its width; the axis meets the middle."""
        focal = self.focal * size[0] / self.width
        return pinhole(focal, focal, size[0] / 2, size[1] / 2)


def read_llff(path: Path) -> list[LlffCamera]:
    """All rows.

    A row is a matrix of three rows and five columns, then the nearest and the farthest depth. The columns are the
    camera's axes down, right and back, its centre, and height, width and focal length.

    Raises:
        ClipError: The file is missing or damaged, or a row is no camera.
    """
    table = torch.from_numpy(read_array(path, (None, 17)).astype("float64"))
    if not len(table):
        raise ClipError(f"{path}: holds no cameras")
    matrices = table[:, :15].view(-1, 3, 5)
    down, right, back, centre, lens = matrices.unbind(-1)
    c2w = torch.eye(4, dtype=torch.float64).repeat(len(table), 1, 1)
    c2w[:, :3] = torch.stack([right, down, -back, centre], dim=-1)
    if not (lens > 0).all() or not lens.isfinite().all():
        raise ClipError(f"{path}: heights, widths and focal lengths must be above zero")
    poses = rigid(c2w, str(path))
    return [LlffCamera(pose, *_sizes(row)) for pose, row in zip(poses, lens.tolist(), strict=True)]


def _sizes(row: list[float]) -> tuple[float, float, float]:
    height, width, focal = row
    return width, height, focal
