"""Clips of which picture, depth and camera of a frame are read apart, so that motion need not decode pictures."""

from __future__ import annotations

from abc import abstractmethod

import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.truth import ClipInfo, FrameTruth, TruthClip


class PartsClip(TruthClip):
    """A clip whose poses and depth are known; a layout says how each part of a frame is read."""

    def __init__(self, info: ClipInfo) -> None:
        self.info = info

    @abstractmethod
    def rgb(self, index: int) -> UInt8[Tensor, "h w 3"]:
        """The picture of a frame that is there."""

    @abstractmethod
    def depth(self, index: int) -> Float32[Tensor, "h w"]:
        """z-depth, 0 or not finite where it is not known."""

    @abstractmethod
    def camera(
        self, index: int
    ) -> tuple[
        Float64[Tensor, "3 3"],  # intrinsics
        Float64[Tensor, "4 4"],  # camera to world, OpenCV axes
    ]:
        """The camera of a frame that is there."""

    def frame(self, index: int) -> FrameTruth:
        view, rgb = self.view(index), self.rgb(index)
        if rgb.shape[:2] != view.depth.shape:
            (height, width), (deep_height, deep_width) = rgb.shape[:2], view.depth.shape
            raise ClipError(
                f"{self.place(index)}: the picture is {width}x{height}, its depth {deep_width}x{deep_height} pixels"
            )
        return FrameTruth(rgb, view.K, view.c2w, view.depth)

    def view(self, index: int) -> View:
        """Depth and camera of a frame.

        Raises:
            ClipError: There is no such frame, its files cannot be read, or its camera is not finite.
        """
        self.check(index)
        K, c2w = self.camera(index)
        if not (torch.isfinite(K).all() and torch.isfinite(c2w).all() and K[0, 0] > 0 and K[1, 1] > 0):
            raise ClipError(f"{self.place(index)}: the camera is not finite, or its focal length not positive")
        depth = self.depth(index)
        return View(torch.where(torch.isfinite(depth) & (depth > 0), depth, 0), K, c2w)

    def check(self, index: int) -> None:
        """Refuse a frame that there is not.

        Raises:
            ClipError: There is no such frame.
        """
        if not 0 <= index < self.info.frames:
            raise ClipError(f"{self.place(index)}: the clip has frames 0 to {self.info.frames - 1} only")

    def place(self, index: int) -> str:
        """A frame's name in messages."""
        return f"{self.info.dataset} {self.info.clip}, frame {index}"
