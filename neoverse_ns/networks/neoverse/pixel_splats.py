"""One Gaussian per pixel of every frame of a clip, in world axes, before they are sorted by kind."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.geometry import projection
from neoverse_ns.networks.neoverse.gaussian_parameters import split_parameters
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions

LARGEST_SCALE = 0.3
"""Standard deviations are cut off here, world units."""


@dataclass(frozen=True)
class PixelSplats:
    """A clip's s x n Gaussians, n = h w, raw like :class:`DynamicGaussians`; m = s - 1.

    Attributes:
        means: Centres in the world.
        quats: Rotations wxyz, unit length.
        log_scales: At most that of LARGEST_SCALE.
        opacity_logits: Opacity before the sigmoid.
        sh: Degree-0 harmonics, the image's colour plus the predicted residual.
        weight_logits: Life span (dynamic) or merging weight (static) before the sigmoid.
        confidences: Confidence of the depth, above 1.
        velocity_fwd: Displacement of frames 0..s-2 toward the next frame, world axes; None without motion.
        velocity_bwd: Displacement of frames 1..s-1 toward the previous frame.
        angular_fwd: Axis-angle over the same gap, as predicted.
        angular_bwd: The same toward the previous frame.
    """

    means: Float[Tensor, "s n 3"]
    quats: Float[Tensor, "s n 4"]
    log_scales: Float[Tensor, "s n 3"]
    opacity_logits: Float[Tensor, "s n"]
    sh: Float[Tensor, "s n 1 3"]
    weight_logits: Float[Tensor, "s n"]
    confidences: Float[Tensor, "s n"]
    velocity_fwd: Float[Tensor, "m n 3"] | None = None
    velocity_bwd: Float[Tensor, "m n 3"] | None = None
    angular_fwd: Float[Tensor, "m n 3"] | None = None
    angular_bwd: Float[Tensor, "m n 3"] | None = None

    def speeds(self) -> Float[Tensor, "s n"] | None:
        """The larger speed of both directions, world units per gap; None without motion."""
        if self.velocity_fwd is None or self.velocity_bwd is None:
            return None
        none = self.means.new_zeros(1, self.means.shape[1])
        ahead = torch.cat([self.velocity_fwd.norm(dim=-1), none])
        return torch.maximum(ahead, torch.cat([none, self.velocity_bwd.norm(dim=-1)]))


def unproject_integer_pixels(
    depth: Float[Tensor, "*batch h w"], K: Float[Tensor, "*batch 3 3"], c2w: Float[Tensor, "*batch 4 4"]
) -> Float[Tensor, "*batch h w 3"]:
    """World points with rays through integer pixel coordinates (0, 1, ...), the convention of the network's training.

    The rasteriser's pixel centres lie at +0.5, as everywhere else in this program. The release draws the points with
    the same K nevertheless, and so does this program: what is drawn then matches the release's renderings, half a pixel
    up and to the left of where pixel centres of +0.5 would put it.
    """
    shifted = K.clone()
    shifted[..., :2, 2] += 0.5
    return projection.unproject(depth, shifted, c2w)


def lift(
    depth: Float[Tensor, "*batch h w"],
    K: Float[Tensor, "*batch 3 3"],
    c2w: Float[Tensor, "*batch 4 4"],
    pixel_centres: bool,
) -> Float[Tensor, "*batch h w 3"]:
    """World points in the convention that a network was trained in; see `NetworkArchitecture.pixel_centres`."""
    return projection.unproject(depth, K, c2w) if pixel_centres else unproject_integer_pixels(depth, K, c2w)


def pixel_splats(
    predictions: NetworkPredictions,
    images: Float[Tensor, "b s 3 h w"],
    clip: int,
    cameras: tuple[Float[Tensor, "s 4 4"], Float[Tensor, "s 3 3"]] | None = None,
) -> PixelSplats:
    """The Gaussians of one clip of the batch.

    Args:
        predictions: Of the frames `images`, with the Gaussian head's outputs.
        images: In [0, 1].
        clip: Which of the batch.
        cameras: Camera-to-world and intrinsics that lift the Gaussians; the predicted ones by default.
    """
    gs_depth, gs_params, confidence = predictions.gs_depth, predictions.gs_params, predictions.gs_depth_conf
    if gs_depth is None or gs_params is None or confidence is None:
        raise ValueError("the predictions have no Gaussians: ask the network for the head 'gaussians'")
    c2w, K = cameras or (predictions.c2w[clip], predictions.K[clip])
    raw = {name: part.flatten(1, 2) for name, part in split_parameters(gs_params[clip]).items()}
    quats = raw["quaternion"]
    colours = images[clip].permute(0, 2, 3, 1).flatten(1, 2)
    splats = PixelSplats(
        means=lift(gs_depth[clip], K, c2w, predictions.pixel_centres).flatten(1, 2),
        quats=quats / (quats.norm(dim=-1, keepdim=True) + 1e-8),
        log_scales=raw["log_scale"].clamp_max(math.log(LARGEST_SCALE)),
        opacity_logits=raw["opacity"][..., 0],
        sh=((colours - 0.5) / SH_C0 + raw["residual_sh"])[:, :, None],
        weight_logits=raw["weight"][..., 0],
        confidences=confidence[clip].flatten(1),
        **_motion(predictions, clip, c2w),
    )
    return splats


def _motion(predictions: NetworkPredictions, clip: int, c2w: Float[Tensor, "s 4 4"]) -> dict[str, Tensor]:
    ahead, behind = predictions.velocity_fwd, predictions.velocity_bwd
    motion = {}
    if ahead is not None and behind is not None:
        motion["velocity_fwd"] = ahead[clip].flatten(1, 2) @ c2w[:-1, :3, :3].mT
        motion["velocity_bwd"] = behind[clip].flatten(1, 2) @ c2w[1:, :3, :3].mT
    if predictions.gs_fwd_attr is not None and predictions.gs_bwd_attr is not None:
        motion["angular_fwd"] = predictions.gs_fwd_attr[clip].flatten(1, 2)
        motion["angular_bwd"] = predictions.gs_bwd_attr[clip].flatten(1, 2)
    return motion
