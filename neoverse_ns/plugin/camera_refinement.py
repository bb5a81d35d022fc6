"""Corrections of the estimated cameras as nerfstudio knows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int
from nerfstudio.cameras.camera_optimizers import CameraOptimizer, CameraOptimizerConfig
from nerfstudio.cameras.cameras import Cameras
from torch import Tensor

from neoverse_ns.evaluation.placing.placed import Placed
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.optimise.camera_twists import corrected
from neoverse_ns.optimise.frame_weights import frame_weights
from neoverse_ns.plugin.world import (
    FRAME_KEY,
    TARGET_KEY,
    nerfstudio_to_world,
    opengl_to_viewmats,
    to_nerfstudio_cameras,
    viewmats_to_opengl,
    world_to_nerfstudio,
)
from neoverse_ns.reconstruct.scene import Scene


@dataclass
class CameraRefinementConfig(CameraOptimizerConfig):
    """One twist per training frame; frames between them follow by interpolation."""

    _target: type = field(default_factory=lambda: CameraRefinement)


class CameraRefinement(CameraOptimizer):
    """See :class:`neoverse_ns.optimise.camera_twists.CameraTwists`; a nerfstudio `CameraOptimizer`, so that ns-export
    cameras writes corrected poses.
    """

    config: CameraRefinementConfig

    def setup_frames(self, train: list[int], held_out: list[int]) -> None:
        """Tell which sampled frames have twists of their own, in order, and which follow."""
        self.register_buffer("weights", frame_weights(train, held_out), persistent=False)

    def setup_targets(self, place: Callable[[PinholeCameras], Placed], scene: Scene) -> None:
        """Tell how judged cameras follow from those of the clip, so that they follow refined ones as well.

        Args:
            place: Gives all targets' cameras for those of all sampled frames, both in this package's world.
            scene: The clip's.
        """
        # No module: neither checkpoints nor the viewer shall walk it.
        self._targets = place, scene

    def twists(self) -> Float[Tensor, "n 6"]:
        """Twist of every sampled frame, translation first."""
        assert isinstance(self.weights, Tensor)
        return self.weights @ self.pose_adjustment

    def refined_viewmats(self, cameras: Cameras) -> Float[Tensor, "n 4 4"]:
        """World-to-camera matrices in OpenCV axes, corrected where a camera belongs to a frame of the clip, or is
        placed by those that do.
        """
        viewmats = opengl_to_viewmats(cameras.camera_to_worlds)
        if self.config.mode != "off" and TARGET_KEY in (cameras.metadata or {}):
            return self._refined_targets(cameras).to(viewmats)
        if self.config.mode == "off" or cameras.metadata is None or FRAME_KEY not in cameras.metadata:
            return viewmats
        frames = cameras.metadata[FRAME_KEY].reshape(-1).to(self.pose_adjustment.device)
        return corrected(viewmats, self.twists()[frames])

    @torch.no_grad()
    def _refined_targets(self, cameras: Cameras) -> Float[Tensor, "n 4 4"]:
        assert cameras.metadata is not None
        place, scene = self._targets
        refined = self.refined(scene.geometry.cameras, scene.clip.times)
        here = replace(refined, c2w=nerfstudio_to_world().apply_c2w(refined.c2w))
        placed = world_to_nerfstudio().apply_c2w(place(here).c2w)
        return torch.linalg.inv(placed[cameras.metadata[TARGET_KEY].reshape(-1).cpu()])

    @torch.no_grad()
    def refined(self, cameras: PinholeCameras, times: Float[Tensor, " n"]) -> PinholeCameras:
        """Cameras of all sampled frames as refined so far.

        Args:
            cameras: As estimated, in this package's world.
            times: Their normalised times.

        Returns:
            OpenCV axes, in nerfstudio's world, on the CPU.
        """
        everything = to_nerfstudio_cameras(cameras, times, list(range(len(cameras))))
        viewmats = self.refined_viewmats(everything.to(self.weights.device)).cpu()
        return PinholeCameras(torch.linalg.inv(viewmats), cameras.K, cameras.width, cameras.height)

    def forward(self, indices: Int[Tensor, " m"]) -> Float[Tensor, "m 3 4"]:
        """What the viewer multiplies estimated camera-to-world matrices with, from the right, to show refined ones.

        Args:
            indices: Training frames, counted among themselves.
        """
        if self.config.mode == "off":
            return torch.eye(4)[:3].expand(len(indices), 3, 4)
        flip = self.pose_adjustment.new_tensor([[1.0], [-1.0], [-1.0]])
        return flip * viewmats_to_opengl(se3_exp(self.pose_adjustment[indices]))

    def apply_to_camera(self, camera: Cameras) -> Float[Tensor, "n 3 4"]:
        """Corrected camera-to-world matrices, OpenGL axes."""
        return viewmats_to_opengl(self.refined_viewmats(camera))
