"""Depth, confidence and motion masks of the keyframes, from what the network predicts of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.errors import ReconstructionError
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.reconstruct.feedforward.sizing import NetworkSize


@dataclass(frozen=True)
class Surfaces:
    """Maps of some keyframes at the clip's resolution, on the CPU.

    Attributes:
        depth: z-depth in the network's unit, positive and finite.
        confidence: Trust in it, in (0, 1).
        dynamic: Pixels that move on their own.
    """

    depth: Float[Tensor, "k h w"]
    confidence: Float[Tensor, "k h w"]
    dynamic: Bool[Tensor, "k h w"]

    def __getitem__(self, rows: slice) -> Surfaces:
        return Surfaces(self.depth[rows], self.confidence[rows], self.dynamic[rows])


def surfaces_of(predictions: NetworkPredictions, size: NetworkSize, motion_pixels: float) -> Surfaces:
    """Maps of the frames of one clip (batch size 1).

    The confidence 1 + exp(x) that the network predicts becomes exp(x) / (1 + exp(x)), the same order between 0 and 1.

    Args:
        predictions: With depth, and velocities unless there is no motion.
        size: Between the network's pixels and the clip's.
        motion_pixels: See :func:`moving`.

    Raises:
        ReconstructionError: A prediction is not finite.
    """
    depth, confidence = predictions.depth, predictions.depth_conf
    assert depth is not None
    assert confidence is not None
    check_finite(predictions)
    dynamic = moving(predictions, size.scale[0], motion_pixels)
    return Surfaces(
        depth=size.maps_to_clip(depth[0].float().cpu()).clamp_min(1e-6),
        confidence=size.maps_to_clip(1 - 1 / confidence[0].float().cpu()).clamp(0, 1),
        dynamic=size.maps_to_clip(dynamic.float().cpu()) > 0.5,
    )


def moving(predictions: NetworkPredictions, scale: float, motion_pixels: float) -> Bool[Tensor, "s h w"]:
    """Where the longer of both velocities, seen straight on at its depth, spans more than `motion_pixels` of the clip.

    Args:
        predictions: Of one clip.
        scale: Network pixels per clip pixel.
        motion_pixels: Travel in clip pixels until the neighbouring keyframe.
    """
    depth, K = predictions.depth, predictions.K
    assert depth is not None
    speed = torch.zeros_like(depth[0])
    if predictions.velocity_fwd is not None and predictions.velocity_bwd is not None:
        speed[:-1] = predictions.velocity_fwd[0].norm(dim=-1)
        speed[1:] = torch.maximum(speed[1:], predictions.velocity_bwd[0].norm(dim=-1))
    travel = K[0, :, 0, 0, None, None] * speed / depth[0].clamp_min(1e-6)
    return travel > motion_pixels * scale


def check_finite(predictions: NetworkPredictions) -> None:
    """Stop before NaN spreads into a scene.

    Raises:
        ReconstructionError: Naming the output.
    """
    for name, value in predictions.tensors().items():
        if not bool(torch.isfinite(value).all()):
            raise ReconstructionError(
                f"the network's {name} is not finite: its weights are damaged or not trained, or their precision is "
                "too low; check the file, or use --network.dtype float32"
            )
