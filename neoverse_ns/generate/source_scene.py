"""The clip and its 4D scene, as refiners that learn from them see it."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.errors import RefinementError
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import network_unit
from neoverse_ns.reconstruct.scene import Scene


@dataclass(frozen=True)
class SourceScene:
    """Real frames with their cameras, and the Gaussians that stand for them.

    Attributes:
        frames: RGB in [0, 255].
        cameras: One per frame.
        times: Normalised time per frame.
        keyframes: Position among the frames of every keyframe; `keyframe` of the Gaussians counts these.
        gaussians: As lifted or as refined; on any device.
        whole: Which of the keyframes carry all they show; the others carry what moves alone. None: all.
        unit: Length of the world's unit in that of the network that found the scene; see
            :func:`neoverse_ns.reconstruct.base.network_unit`.
        context: The keyframes' cameras that the Gaussians were lifted with, where `cameras` has others for them, found
            among all frames. None: the same.
    """

    frames: UInt8[Tensor, "n h w 3"]
    cameras: PinholeCameras
    times: Float[Tensor, " n"]
    keyframes: list[int]
    gaussians: LayeredGaussians
    whole: list[int] | None = None
    unit: float | None = None
    context: PinholeCameras | None = None

    def __repr__(self) -> str:
        return f"SourceScene({self.cameras!r}, {len(self.keyframes)} keyframes, {self.gaussians!r})"

    def __post_init__(self) -> None:
        count = len(self.frames)
        if len(self.cameras) != count:
            raise RefinementError(f"{count} frames need as many cameras, got {len(self.cameras)}")
        if tuple(self.frames.shape[1:3]) != (self.cameras.height, self.cameras.width):
            raise RefinementError(
                f"frames of {self.frames.shape[2]}x{self.frames.shape[1]} pixels do not fit cameras of "
                f"{self.cameras.width}x{self.cameras.height}; resize one of them"
            )
        if self.context is not None and len(self.context) != len(self.keyframes):
            raise RefinementError(f"{len(self.keyframes)} keyframes need as many cameras, got {len(self.context)}")
        if not self.keyframes or not all(0 <= frame < count for frame in self.keyframes):
            raise RefinementError(f"keyframes {self.keyframes} must name at least one of the {count} frames")

    def __len__(self) -> int:
        return len(self.frames)

    @staticmethod
    def of(scene: Scene, gaussians: LayeredGaussians | None = None) -> SourceScene:
        """The training frames of a reconstructed clip: what learns from it must not see those held out.

        Args:
            scene: The clip with its reconstruction.
            gaussians: Take the place of the scene's own, as after training.

        Raises:
            RefinementError: The scene was loaded without Gaussians, and none were given.
        """
        chosen = scene.gaussians if gaussians is None else gaussians
        if chosen is None:
            raise RefinementError("this scene was loaded without Gaussians; take those of the run's checkpoint")
        clip, geometry, train = scene.clip, scene.geometry, scene.split.train
        keyframes = [train.index(frame) for frame in geometry.keyframes]
        whole = [train.index(frame) for frame in scene.split.keyframes]
        unit = network_unit(geometry.report)
        return SourceScene(
            clip.frames[train], geometry.cameras[train], clip.times[train], keyframes, chosen, whole, unit
        )
