"""What the network says about a batch of clips."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass
class NetworkPredictions:
    """Outputs of every head, float32. Dimensions: b clips, s frames, h x w pixels, m = s - 1 gaps between frames.

    The world is the first camera's, up to what the network predicts, and of arbitrary scale. What was not asked for
    (see :meth:`neoverse_ns.networks.neoverse.model.NeoVerseNetwork.forward`) is None; so is motion of one frame.

    Attributes:
        pixel_centres: Gaussians lie on rays through pixel centres instead of integer coordinates.
        camera_params: World-to-camera translation, quaternion xyzw (any length), vertical and horizontal field of view
            in radians.
        camera_rounds: The same after each round of the camera head's refinement, the last one's being `camera_params`.
        c2w: The same as camera-to-world matrices, OpenCV axes.
        K: Intrinsics in pixels, principal point at the image centre. Rasterise with them as they are: the network's
            own integer-pixel unprojection stays inside this package, as in the release.
        depth: z-depth of the surfaces.
        depth_conf: Confidence, above 1.
        pts3d: World points of the pixels.
        pts3d_conf: Confidence, above 1.
        velocity_fwd: Displacement of frames 0..s-2 toward the next frame, camera axes.
        velocity_fwd_conf: Confidence, above 1.
        velocity_bwd: Displacement of frames 1..s-1 toward the previous frame, camera axes.
        velocity_bwd_conf: Confidence, above 1.
        gs_depth: z-depth of the Gaussians' centres.
        gs_depth_conf: Confidence, above 1.
        gs_fwd_attr: Angular velocity (axis-angle, radians per gap) of frames 0..s-2 toward the next frame.
        gs_bwd_attr: The same of frames 1..s-1 toward the previous frame.
        gs_params: Raw Gaussian parameters: quaternion wxyz 4, log-scale 3, opacity logit 1, residual SH 3, and the
            logit of the life span (dynamic) or the merging weight (static).
    """

    camera_params: Float[Tensor, "b s 9"]
    c2w: Float[Tensor, "b s 4 4"]
    K: Float[Tensor, "b s 3 3"]
    depth: Float[Tensor, "b s h w"] | None = None
    depth_conf: Float[Tensor, "b s h w"] | None = None
    pts3d: Float[Tensor, "b s h w 3"] | None = None
    pts3d_conf: Float[Tensor, "b s h w"] | None = None
    velocity_fwd: Float[Tensor, "b m h w 3"] | None = None
    velocity_fwd_conf: Float[Tensor, "b m h w"] | None = None
    velocity_bwd: Float[Tensor, "b m h w 3"] | None = None
    velocity_bwd_conf: Float[Tensor, "b m h w"] | None = None
    gs_depth: Float[Tensor, "b s h w"] | None = None
    gs_depth_conf: Float[Tensor, "b s h w"] | None = None
    gs_fwd_attr: Float[Tensor, "b m h w 3"] | None = None
    gs_bwd_attr: Float[Tensor, "b m h w 3"] | None = None
    gs_params: Float[Tensor, "b s h w 12"] | None = None
    camera_rounds: Float[Tensor, "b r s 9"] | None = None
    pixel_centres: bool = False

    def tensors(self) -> dict[str, Tensor]:
        """Every field that was predicted, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    def to(self, device: torch.device | str) -> NetworkPredictions:
        moved = {name: value.to(device) for name, value in self.tensors().items()}
        return NetworkPredictions(**moved, pixel_centres=self.pixel_centres)
