"""What every reconstructor takes and gives: the seam between a clip and its 4D scene."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from jaxtyping import Bool, Float, Int
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.split import FrameSplit


@dataclass(frozen=True)
class SceneGeometry:
    """Cameras of every sampled frame and the keyframes' surfaces; the world is the first camera, its median depth 1.

    Attributes:
        cameras: One per sampled frame of the clip, in order.
        keyframes: Positions, ascending, of the frames whose surfaces are known: the split's keyframes, of which every
            pixel becomes a Gaussian, and, where things are followed, training frames of which only what moves does.
        depth: z-depth of the keyframes at full resolution, positive and finite everywhere.
        confidence: Trust in `depth` in [0, 1].
        dynamic: Pixels of the keyframes that move on their own.
        report: What was done and how well it fits; plain values that JSON can hold.
        things: Which thing every pixel of the keyframes shows: 0 where `dynamic` is False, else its number, from 1, the
            same in all keyframes. None where things were not told apart.
    """

    cameras: PinholeCameras
    keyframes: list[int]
    depth: Float[Tensor, "k h w"]
    confidence: Float[Tensor, "k h w"]
    dynamic: Bool[Tensor, "k h w"]
    report: dict[str, Any] = field(default_factory=dict)
    things: Int[Tensor, "k h w"] | None = None

    def __repr__(self) -> str:
        things = "" if self.things is None or not len(self.things) else f", {int(self.things.max())} things"
        return f"SceneGeometry({self.cameras!r}, {len(self.keyframes)} keyframes{things})"


def network_unit(report: dict[str, Any]) -> float | None:
    """Length of a scene's unit, its median depth, in the raw unit of NeoVerse's network; None where another way of
    reconstruction found it, in which case nobody knows.

    Args:
        report: Of the scene's geometry.
    """
    found = report.get("unit") if report.get("reconstructor") == "network" else None
    return None if found is None else float(found)


@dataclass(frozen=True)
class Reconstruction:
    """A 4D scene of a clip: its geometry, and the Gaussians lifted from it.

    Attributes:
        geometry: Cameras and surfaces.
        gaussians: The scene in layers.
        clip: The frames to go on with where they are others than those given: straightened ones of a lens that bends
            lines, or the same with more that is known to be no part of the world. None where they are the same.
    """

    geometry: SceneGeometry
    gaussians: LayeredGaussians
    clip: Clip | None = None

    @property
    def cameras(self) -> PinholeCameras:
        return self.geometry.cameras

    @property
    def report(self) -> dict[str, Any]:
        return self.geometry.report


class Reconstructor(ABC):
    """Turns a clip into a scene. Implementations are deterministic under their settings' seed.

    Attributes:
        uses_tracking: Whether frames between the sampled ones (`Clip.tracking`) make a difference: only then they are
            read.
    """

    uses_tracking: ClassVar[bool] = False

    def keyframes_wanted(self, chosen: int | None, frames: int) -> int | None:
        """How many frames shall carry Gaussians; None leaves it to :func:`neoverse_ns.reconstruct.split.split_frames`.

        Args:
            chosen: What the user asked for, if anything.
            frames: Sampled frames of the clip.
        """
        return chosen

    @abstractmethod
    def reconstruct(self, clip: Clip, split: FrameSplit) -> Reconstruction:
        """Estimate cameras for every frame of `clip` and Gaussians from the pixels of its training frames alone.

        Args:
            clip: Sampled frames of one shot; of those between them only what may be used, if any.
            split: Which of them are keyframes, training frames and held out.

        Raises:
            ReconstructionError: Nothing sensible can be computed; the message says why and what to change.
        """
