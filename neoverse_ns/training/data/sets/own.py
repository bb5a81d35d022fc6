"""Our own layout of clips with truth, which any set can be brought to (:func:`write_clip`).

A clip is a folder:

- `clip.json`: see :class:`OwnAbout`;
- `rgb/%06d.jpg` (or .png), counted from 0, or `clip.mp4`;
- `cameras.npz`: `K` [frames, 3, 3] in pixels with centres at +0.5, `times` [frames] in seconds, and, where poses are
  known, `c2w` [frames, 4, 4] with OpenCV's axes;
- `depth/%06d.png`: z-depth in 16 bits, where it is known;
- what motion is made of, for any two frames: one of `objects.npz` with `instances/%06d.png`, `tracks.npz`, or
  `flow/%06d.npz` (see :mod:`neoverse_ns.training.data.sets.own_motion`); nothing where the clip is static.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.datafiles.reading import read_arrays, read_deep_png, read_rgb, rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.motion.static import static_displacement
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.npz import npz_entries
from neoverse_ns.training.data.sets.own_about import ABOUT, NAME, read_about
from neoverse_ns.training.data.sets.own_motion import own_motion
from neoverse_ns.training.data.sets.video import VideoFrames
from neoverse_ns.training.data.truth import Displacement, FrameTruth, TruthClip

CAMERAS, DEPTH, RGB, VIDEO = "cameras.npz", "depth", "rgb", "clip.mp4"
_SUFFIXES = (".jpg", ".png", ".jpeg", ".webp")
_KEPT = 4
"""Depth maps kept for motion, which asks for the same ones again."""


class Own(DataSet):
    """Folders that hold `clip.json`."""

    name: ClassVar[str] = NAME

    def find(self, folder: Path) -> list[ManifestRow]:
        clips = folders_with(folder, ABOUT, deepest=4)
        if not clips:
            raise nothing_found(folder, NAME, f"CLIP/{ABOUT}")
        return [read_about(clip).row(clip_name(folder, clip)) for clip in clips]

    def open(self, folder: Path, row: ManifestRow) -> OwnClip:
        return OwnClip(folder / str(row.source.get("path", "")), row.id)


class OwnClip(TruthClip):
    """A clip of this layout."""

    def __init__(self, folder: Path, name: str | None = None) -> None:
        """Open a clip's folder; `name` is the clip's in messages.

        Raises:
            ClipError: The folder is not of this layout, or damaged.
        """
        self._folder, self.about = folder, read_about(folder)
        self.info = self.about.info(folder.name if name is None else name)
        frames, cameras = self.about.frames, folder / CAMERAS
        posed = "c2w" in npz_entries(cameras)
        shapes: dict[str, tuple[int | None, ...]] = {"K": (frames, 3, 3), "times": (frames,)}
        arrays = read_arrays(cameras, shapes | ({"c2w": (frames, 4, 4)} if posed else {}))
        self._K = torch.from_numpy(arrays["K"].astype(np.float64))
        self.times = torch.from_numpy(arrays["times"].astype(np.float64))
        self._c2w = rigid(torch.from_numpy(arrays["c2w"].astype(np.float64)), str(cameras)) if posed else None
        self._deep = (folder / DEPTH).is_dir()
        self._video = VideoFrames(folder / VIDEO) if (folder / VIDEO).is_file() else None
        self._motion = own_motion(folder, frames)
        self._depths: OrderedDict[int, Tensor] = OrderedDict()

    def frame(self, index: int) -> FrameTruth:
        rgb = self._picture(self._checked(index))
        depth = self._depth(index)
        if depth is not None and depth.shape != rgb.shape[:2]:
            (height, width), (deep_height, deep_width) = rgb.shape[:2], depth.shape
            raise ClipError(
                f"{self._folder}, frame {index}: the picture is {width}x{height}, "
                f"its depth {deep_width}x{deep_height} pixels"
            )
        return FrameTruth(rgb, self._K[index], None if self._c2w is None else self._c2w[index], depth)

    def displacement(self, index: int, other: int) -> Displacement | None:
        if self._c2w is None or not self._deep:
            return None
        view = self._view(self._checked(index))
        self._checked(other)
        if self.about.static or index == other:
            return static_displacement(view.depth)
        return None if self._motion is None else self._motion.between(index, other, self._view)

    def close(self) -> None:
        if self._video is not None:
            self._video.close()
        self._depths.clear()

    def _view(self, index: int) -> View:
        depth = self._depth(index)
        assert depth is not None
        assert self._c2w is not None
        return View(depth, self._K[index], self._c2w[index])

    def _picture(self, index: int) -> UInt8[Tensor, "h w 3"]:
        if self._video is not None:
            return self._video.frame(index)
        names = [self._folder / RGB / f"{index:06d}{suffix}" for suffix in _SUFFIXES]
        return read_rgb(next((path for path in names if path.is_file()), names[0]))

    def _depth(self, index: int) -> Float32[Tensor, "h w"] | None:
        if not self._deep:
            return None
        if index not in self._depths:
            numbers = read_deep_png(self._folder / DEPTH / f"{index:06d}.png")
            self._depths[index] = torch.from_numpy(numbers.astype(np.float32) / np.float32(self.about.depth_scale))
            while len(self._depths) > _KEPT:
                self._depths.popitem(last=False)
        return self._depths[index]

    def _checked(self, index: int) -> int:
        if not 0 <= index < self.about.frames:
            raise ClipError(f"{self._folder}: has frames 0 to {self.about.frames - 1}, none numbered {index}")
        return index
