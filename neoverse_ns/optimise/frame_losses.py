"""All loss terms of a step, from a drawing, its frame and what the reconstruction knew."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.transition import alive_at
from neoverse_ns.geometry.projection import project
from neoverse_ns.optimise.losses import LossConfig, depth_loss, photometric_losses
from neoverse_ns.optimise.motion_priors import MotionPrior, motion_losses, pixel_neighbours
from neoverse_ns.reconstruct.scene import Scene


class FrameLosses:
    """Computes the terms whose weights are not 0.

    Args:
        config: Weights.
        scene: Where the clip, its depth and its Gaussians as lifted come from.
        velocities: Of the keyframes' own Gaussians, in the world in which they are optimised.
    """

    def __init__(self, config: LossConfig, scene: Scene, velocities: Float[Tensor, "n 2 3"]) -> None:
        self._config = config
        self._scene = scene
        self._prior = None
        # A run that is only evaluated has no Gaussians yet, and no need of losses.
        if config.motion.any() and scene.gaussians is not None:
            # A copy: those given may be the very memory that optimisation changes.
            self._prior = _motion_prior(scene, scene.gaussians.frames, velocities.detach().clone())

    def __call__(
        self,
        outputs: dict[str, Tensor],
        image: Float[Tensor, "h w 3"],
        frame: int | None,
        gaussians: DynamicGaussians,
        step: int,
    ) -> dict[str, Float[Tensor, ""]]:
        """Weighted terms by name; their sum is what to minimise.

        Args:
            outputs: `rgb`, `depth` and `accumulation` as drawn.
            image: What the frame shows.
            frame: Position among the sampled frames; None leaves all but the photometric terms out.
            gaussians: The keyframes' own, as they stand.
            step: Number of the step.
        """
        config, geometry = self._config, self._scene.geometry
        world = None if frame is None else self._scene.clip.world(frame, (image.shape[0], image.shape[1]))
        world = None if world is None else world.to(image.device)
        losses = photometric_losses(outputs["rgb"], outputs["accumulation"], image, config, world)
        if frame is None:
            return losses
        # Frames that nerfstudio scales down have no depth of their size.
        if config.depth > 0 and frame in geometry.keyframes and image.shape[:2] == geometry.depth.shape[1:]:
            number = geometry.keyframes.index(frame)
            depth, alpha = outputs["depth"][..., 0], outputs["accumulation"][..., 0].detach()
            estimate, confidence = geometry.depth[number].to(depth), geometry.confidence[number].to(depth)
            confidence = confidence if world is None else confidence * world
            losses["depth"] = config.depth * depth_loss(depth, alpha, estimate, confidence)
        if self._prior is not None:
            if self._prior.velocities.device != gaussians.device:
                self._prior = self._prior.to(gaussians.device)
            alive = alive_at(gaussians, float(self._scene.clip.times[frame]))
            losses |= motion_losses(gaussians, alive, step, self._prior, config.motion)
        return losses


def _motion_prior(scene: Scene, gaussians: DynamicGaussians, velocities: Float[Tensor, "n 2 3"]) -> MotionPrior:
    """Neighbours by the pixels Gaussians fall on, however many of a keyframe's pixels lifting made Gaussians of."""
    cameras, keyframes = scene.geometry.cameras, scene.geometry.keyframes
    pixels = torch.full((len(gaussians), 2), -1, dtype=torch.int64)
    for number, frame in enumerate(keyframes):
        rows = (gaussians.keyframe == number).nonzero().squeeze(-1)
        place, _ = project(gaussians.means[rows], cameras.viewmats[frame], cameras.K[frame])
        # Far outside, or behind the camera, coordinates are too large for an integer.
        pixels[rows] = place.clamp(-1, 1 + max(cameras.width, cameras.height)).floor().long()
    return MotionPrior(velocities, pixel_neighbours(gaussians.keyframe, pixels, cameras.width, cameras.height))
