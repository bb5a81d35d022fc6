"""The seam between data sets and training: a clip of which cameras, depth and motion are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Bool, Float32, Float64, UInt8
from torch import Tensor

Part = Literal["pose", "depth", "motion"]
"""What a clip may know beside its pictures and intrinsics."""


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a clip before any frame is read.

    Attributes:
        dataset: Name of the data set, as the registry of sets has it.
        clip: Name of the clip within it.
        frames: How many there are.
        fps: Frames per second.
        static: Nothing moves but the camera.
        has: What is known; motion of a static clip counts as known where its depth is.
        furthest: Largest step between neighbouring frames of a sample that the set allows, in frames.
        render_weight: Weight of the colour of drawings, 0 where poses or pictures are not good enough for it.
        depth_weight: Weight of depth, below 1 where it is estimated or noisy.
        motion_weight: Weight of motion.
        depth_quantile: Depth beyond this quantile of a frame is not trusted; 1 trusts all.
    """

    dataset: str
    clip: str
    frames: int
    fps: float
    static: bool
    has: frozenset[Part]
    furthest: int = 1
    render_weight: float = 1.0
    depth_weight: float = 1.0
    motion_weight: float = 1.0
    depth_quantile: float = 1.0


@dataclass(frozen=True)
class FrameTruth:
    """One frame of such a clip.

    Attributes:
        rgb: As filmed.
        K: Intrinsics in pixels, pixel centres at +0.5.
        c2w: Camera to world, OpenCV axes, in the set's own world and unit; None where the set does not know.
        depth: z-depth in the same unit, 0 where unknown or sky; None where the set has none.
    """

    rgb: UInt8[Tensor, "h w 3"]
    K: Float64[Tensor, "3 3"]
    c2w: Float64[Tensor, "4 4"] | None
    depth: Float32[Tensor, "h w"] | None


@dataclass(frozen=True)
class Displacement:
    """Where the surfaces that a frame's pixels show have gone by another frame.

    Attributes:
        world: Displacement in the set's world axes and unit, of any value where it is not valid.
        valid: It is known; the surface may be hidden in the other frame.
    """

    world: Float32[Tensor, "h w 3"]
    valid: Bool[Tensor, "h w"]


class TruthClip(ABC):
    """A clip of a data set. Frames are read when they are asked for, and not kept.

    Whatever is damaged or missing is told as :class:`neoverse_ns.errors.ClipError`, which names the file.
    """

    info: ClipInfo

    @abstractmethod
    def frame(self, index: int) -> FrameTruth:
        """A frame.

        Raises:
            ClipError: Its files cannot be read.
        """

    def displacement(self, index: int, other: int) -> Displacement | None:
        """Motion of what frame `index` shows until frame `other`, of any distance and direction; None where unknown.

        A clip that says `static` need not say more; its motion is zero wherever its depth is known.

        Raises:
            ClipError: Its files cannot be read.
        """
        return None

    def close(self) -> None:  # noqa: B027
        """Give back what is open; most clips keep nothing open."""
