"""All frames of a sample as its predicted Gaussians look from the true cameras."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.geometry import se3
from neoverse_ns.networks.neoverse.pixel_splats import pixel_splats
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.networks.neoverse.splats import merged_splats
from neoverse_ns.rasterize.drawing import draw_instant
from neoverse_ns.training.reconstructor.drawing.config import DrawingConfig
from neoverse_ns.training.reconstructor.drawing.moved import at_keyframe, between, constant


@dataclass(frozen=True)
class Drawn:
    """Frames of a sample over black, keyframes first; b clips where it is a batch's.

    Attributes:
        rgb: Colours, clamped to [0, 1].
        depth: Expected z-depth, units of the sample; 0 where nothing was drawn.
        alpha: Opacity in [0, 1].
        shown: Frames that were drawn; the others are black.
    """

    rgb: Float[Tensor, "*b s 3 h w"]
    depth: Float[Tensor, "*b s h w"]
    alpha: Float[Tensor, "*b s h w"]
    shown: Bool[Tensor, "*b s"]


@dataclass(frozen=True)
class TrueCameras:
    """Of the s = 2k - 1 frames of a clip, keyframes first.

    Attributes:
        c2w: Camera-to-world, OpenCV axes.
        K: Intrinsics in pixels, pixel centres at +0.5.
        times: Ascending within each kind of frame.
    """

    c2w: Float[Tensor, "s 4 4"]
    K: Float[Tensor, "s 3 3"]
    times: Int64[Tensor, " s"]


def draw_clip(
    predictions: NetworkPredictions,
    images: Float[Tensor, "b k 3 h w"],
    clip: int,
    cameras: TrueCameras,
    config: DrawingConfig,
    merge: bool,
    intermediates: bool,
) -> Drawn:
    """Draw one clip of a batch; true cameras lift the Gaussians and draw them, so that colours reach no camera.

    Args:
        predictions: Of the keyframes.
        images: Keyframes as the network saw them, from which the Gaussians have their colours.
        clip: Which of the batch.
        cameras: Of all frames of that clip.
        config: See :class:`DrawingConfig`.
        merge: The clip is static: all its Gaussians are constant, and those in one voxel are one.
        intermediates: Draw the frames between keyframes too, at which both neighbours' Gaussians are seen.
    """
    keyframes = images.shape[1]
    lifting = (cameras.c2w[:keyframes], cameras.K[:keyframes])
    pixels = pixel_splats(predictions, images, clip, lifting)
    if merge:
        everything = constant(merged_splats(pixels, config.voxel_size))
        count = len(cameras.times) if intermediates else keyframes
        parts = [_look(everything, cameras, slice(0, count), images)]
    else:
        parts = [_look(at_keyframe(pixels, k), cameras, slice(k, k + 1), images) for k in range(keyframes)]
        times = cameras.times.to(pixels.means.dtype)
        for gap in range(keyframes - 1 if intermediates else 0):
            share = (times[keyframes + gap] - times[gap]) / (times[gap + 1] - times[gap])
            moment = between(pixels, gap, share, config.life_span_gamma)
            parts.append(_look(moment, cameras, slice(keyframes + gap, keyframes + gap + 1), images))
    rgb, depth, alpha = (torch.cat(tables) for tables in zip(*parts, strict=True))
    missing = len(cameras.times) - len(rgb)
    rgb, depth, alpha = (
        torch.cat([table, table.new_zeros(missing, *table.shape[1:])]) for table in (rgb, depth, alpha)
    )
    return Drawn(rgb, depth, alpha, torch.arange(len(rgb), device=rgb.device) < len(rgb) - missing)


def _look(
    gaussians: GaussiansAtTime, cameras: TrueCameras, frames: slice, images: Float[Tensor, "b k 3 h w"]
) -> tuple[Float[Tensor, "n 3 h w"], Float[Tensor, "n h w"], Float[Tensor, "n h w"]]:
    height, width = images.shape[-2:]
    drawing = draw_instant(gaussians, se3.se3_inverse(cameras.c2w[frames]), cameras.K[frames], width, height)
    return drawing.rgb.clamp(0, 1).permute(0, 3, 1, 2), drawing.depth[..., 0], drawing.alpha[..., 0]
