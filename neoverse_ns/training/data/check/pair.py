"""Two frames of a clip with what is said of them, at the size at which they are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Float64, UInt8
from torch import Tensor

from neoverse_ns.training.data.crop import Crop
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.truth import Displacement, FrameTruth, TruthClip

LONGEST = 448
"""Longer side, in pixels, of the pictures that are compared."""
_STILL = 1e-3
"""Share of a pixel's depth by which a surface moves at most that counts as standing still."""


@dataclass(frozen=True)
class Pair:
    """Whole pictures, smaller where they are large, since intrinsics may be wrong.

    Attributes:
        rgb: Of the first frame.
        other_rgb: Of the second frame.
        view: Depth and camera of the first frame.
        other: Depth and camera of the second frame.
        moved: World displacement of what the first frame shows until the second, 0 where unknown.
        moves: It is known.
        exchanged: What the clip says of the way back in time, from the first frame as far before it; None where there
            is no such frame, or no motion.
    """

    rgb: UInt8[Tensor, "h w 3"]
    other_rgb: UInt8[Tensor, "h w 3"]
    view: View
    other: View
    moved: Float64[Tensor, "h w 3"]
    moves: Bool[Tensor, "h w"]
    exchanged: Float64[Tensor, "h w 3"] | None

    @property
    def still(self) -> Bool[Tensor, "h w"]:
        """Depth is known, and nothing is said to move."""
        return self.view.known & (self.moved.norm(dim=-1) <= _STILL * self.view.depth)

    @property
    def moving(self) -> Bool[Tensor, "h w"]:
        """Depth is known, and something is said to move."""
        return self.view.known & ~self.still

    def with_cameras(self, view: View, other: View) -> Pair:
        """The same with other cameras or depth."""
        return replace(self, view=view, other=other)

    def target(
        self,
    ) -> tuple[
        Float64[Tensor, "h w 2"],  # image coordinates in the second frame of what the first one's pixels show
        Float64[Tensor, "h w"],  # its z-depth there
    ]:
        """By depth, cameras and motion."""
        return self.other.project(self.view.points + self.moved)


def read_pair(clip: TruthClip, index: int, other: int) -> Pair | None:
    """Two frames; None where poses or depth are not known.

    Raises:
        ClipError: Files cannot be read.
    """
    first, second = clip.frame(index), clip.frame(other)
    if View.of(first) is None or View.of(second) is None:
        return None
    crop = _whole(first)
    view, other_view = _view(first, crop), _view(second, _whole(second))
    moved, moves = _moved(None if clip.info.static else clip.displacement(index, other), crop)
    before, exchanged = 2 * index - other, None
    if 0 <= before < clip.info.frames and bool(moves.any()):
        back, known = _moved(clip.displacement(index, before), crop)
        exchanged = back if bool(known.any()) else None
    if clip.info.static:
        moves = view.known
    return Pair(_bytes(first, crop), _bytes(second, _whole(second)), view, other_view, moved, moves, exchanged)


def _whole(frame: FrameTruth) -> Crop:
    height, width = frame.rgb.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    return Crop(0.0, 0.0, scale, max(1, round(height * scale)), max(1, round(width * scale)))


def _view(frame: FrameTruth, crop: Crop) -> View:
    assert frame.depth is not None
    assert frame.c2w is not None
    source, known = crop.source_pixels(torch.isfinite(frame.depth) & (frame.depth > 0))
    return View(torch.where(known, frame.depth.flatten()[source], 0), crop.K(frame.K), frame.c2w.double())


def _moved(found: Displacement | None, crop: Crop) -> tuple[Float64[Tensor, "h w 3"], Bool[Tensor, "h w"]]:
    if found is None:
        return torch.zeros(crop.height, crop.width, 3, dtype=torch.float64), torch.zeros(
            crop.height, crop.width, dtype=torch.bool
        )
    source, known = crop.source_pixels(found.valid & torch.isfinite(found.world).all(-1))
    moved: Float[Tensor, "h w 3"] = found.world.flatten(0, 1)[source].double()
    return torch.where(known[..., None], moved, 0), known


def _bytes(frame: FrameTruth, crop: Crop) -> UInt8[Tensor, "h w 3"]:
    return (crop.colours(frame.rgb) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
