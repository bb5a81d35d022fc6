"""Frames of one DyCheck scene."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from neoverse_ns.datafiles.reading import read_array
from neoverse_ns.evaluation.data.dycheck.files import DyCheckCamera, DyCheckNames
from neoverse_ns.evaluation.data.pictures import read_mask, read_rgba
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.data.undistort import Lens, Straightening, straightening


class DyCheckScene(BenchmarkScene):
    """One scene.

    Args:
        place: Its folder.
        names: Its frames.
        cameras: Of every frame, by its name.
        factor: By which the pictures that are read are reduced.
        covisible: Folders of masks of covisibility; of each frame the first that is there is read.
    """

    unit = 1.0

    def __init__(
        self,
        place: Path,
        names: DyCheckNames,
        cameras: Mapping[str, DyCheckCamera],
        factor: Literal[1, 2],
        covisible: tuple[str, ...],
    ) -> None:
        self.name, self.folder, self.factor = place.name, place, factor
        self._covisible = covisible
        self._lenses: dict[str, tuple[str, Lens]] = {}
        frames = []
        for name, camera, time in names.all:
            lens = cameras[name].lens
            lens = lens.scaled(lens.width // factor, lens.height // factor)
            frame = BenchmarkFrame(
                name=f"rgb/{factor}x/{name}.png",
                camera=camera,
                time=time,
                seconds=time / names.fps,
                width=lens.width,
                height=lens.height,
                K=torch.from_numpy(lens.K),
                c2w=cameras[name].c2w,
            )
            frames.append(frame)
            self._lenses[frame.name] = name, lens
        self.frames = tuple(frames)

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        name, lens = self._lenses[frame.name]
        wanted = set(what or ("rgb",))
        size = (frame.width, frame.height)
        straight = None if lens.straight else straightening(lens)
        found: dict[str, Any] = {"masks": {}}
        if wanted & {"rgb", "valid"}:
            pixels = read_rgba(self.folder / frame.name, size)
            if "rgb" in wanted:
                colours = np.ascontiguousarray(pixels[..., :3])
                found["rgb"] = torch.from_numpy(straight.picture(colours) if straight else colours)
            if "valid" in wanted:
                found["masks"]["valid"] = _kept(pixels[..., 3] == 255, straight)
        depth = self.folder / f"depth/{self.factor}x/{name}.npy"
        if "depth" in wanted and depth.is_file():
            values = read_array(depth, (frame.height, frame.width, 1))[..., 0].astype(np.float32)
            found["depth"] = torch.from_numpy(straight.labels(values) if straight else values)
        if "covis" in wanted and (mask := self._mask(name)) is not None:
            found["masks"]["covis"] = _kept(read_mask(mask, size), straight)
        return BenchmarkPixels(**found)

    def lacks(self, frame: BenchmarkFrame, *what: Known) -> list[str]:
        wanted = [frame.name] if {"rgb", "valid"} & set(what) else []
        gone = [name for name in wanted if not (self.folder / name).is_file()]
        name, _ = self._lenses[frame.name]
        if "covis" in what and self._mask(name) is None:
            gone.append(f"{self._covisible[0]}/{name}.png")
        return gone

    def lens(self, frame: BenchmarkFrame) -> Lens:
        """What bent the lines of a frame before they were made straight; at the size at which it is read."""
        return self._lenses[frame.name][1]

    def _mask(self, name: str) -> Path | None:
        """File of a frame's mask of covisibility; None where there is none."""
        paths = (self.folder / folder / f"{name}.png" for folder in self._covisible)
        return next((path for path in paths if path.is_file()), None)


def _kept(mask: np.ndarray, straight: Straightening | None) -> torch.Tensor:
    return torch.from_numpy(np.array(straight.labels(mask) if straight else mask))
