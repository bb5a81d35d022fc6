"""Scenes whose pictures a lens bent, with masks of what was made unrecognisable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from neoverse_ns.evaluation.data.pictures import read_colours, read_mask
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.data.undistort import Lens, straightening


@dataclass(frozen=True)
class Bent:
    """How a frame's picture is made straight.

    Attributes:
        lens: That took it.
        K: fx, fy, cx, cy of the pinhole, centres at +0.5; None for the lens's own.
        border: What OpenCV puts beyond the picture's border.
        mask: Picture that is white where the frame may be looked at; None where all of it may.
    """

    lens: Lens
    K: tuple[float, float, float, float] | None = None
    border: int = cv2.BORDER_REPLICATE
    mask: Path | None = None


class LensScene(BenchmarkScene):
    """A scene of one or more cameras with lenses, in metres.

    Args:
        name: Of the scene.
        folder: That its pictures lie below.
        frames: As pinholes show them.
        bent: Of every frame, by its name.
        held_out: Names of frames kept for testing.
    """

    unit = 1.0

    def __init__(
        self,
        name: str,
        folder: Path,
        frames: tuple[BenchmarkFrame, ...],
        bent: Mapping[str, Bent],
        held_out: frozenset[str],
    ) -> None:
        self.name, self.folder, self.frames, self.held_out, self._bent = name, folder, frames, held_out, bent

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        wanted, bent, found = what or ("rgb",), self._bent[frame.name], dict[str, Any](masks={})
        straight = straightening(bent.lens, bent.K)
        size = frame.width, frame.height
        if "rgb" in wanted:
            found["rgb"] = torch.from_numpy(straight.picture(read_colours(self.folder / frame.name, size), bent.border))
        if "valid" in wanted:
            valid = straight.inside
            if bent.mask is not None and bent.mask.is_file():
                valid = valid & straight.labels(read_mask(bent.mask, size))
            found["masks"]["valid"] = torch.from_numpy(np.ascontiguousarray(valid))
        return BenchmarkPixels(**found)

    def bent(self, frame: BenchmarkFrame) -> Bent:
        """How a frame's picture is made straight."""
        return self._bent[frame.name]
