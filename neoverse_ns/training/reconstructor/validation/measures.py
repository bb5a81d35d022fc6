"""Figures of one clip: what was predicted and drawn against what is true."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.geometry.se3 import so3_log
from neoverse_ns.metrics.depth import depth_error
from neoverse_ns.metrics.image import psnr, ssim
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.reconstructor.validation.moving import MOVING, moving_between

if TYPE_CHECKING:
    from neoverse_ns.metrics.lpips import LPIPS

AUC_DEGREES = 30.0
_STANDS_STILL = 1e-3
"""Distance between two cameras, in units of the sample, below which their direction says nothing."""

Figures = dict[str, float]

FIGURES = (
    *("loss", "psnr", "ssim", "lpips", "psnr_moving", "psnr_keyframes", "psnr_nearest", "depth_abs_rel", "depth_delta"),
    *("pose_auc", "rotation_degrees", "epe_moving", "epe_still", "epe_moving_zero", "alpha"),
)
"""Names of all figures of a validation: the loss, and what :func:`measure` gives."""


def measure(
    sample: TrainingSample,
    rgb: Float[Tensor, "s 3 h w"],
    alpha: Float[Tensor, "s h w"],
    predictions: NetworkPredictions,
    lpips: LPIPS | None = None,
) -> Figures:
    """All figures of a clip; NaN where a clip has no such truth.

    Args:
        sample: Without a batch's dimension.
        rgb: As drawn with the true cameras.
        alpha: As drawn.
        predictions: Of the keyframes; of one clip.
        lpips: Where its weights are at hand.
    """
    return {
        **image_figures(sample, rgb, lpips),
        **depth_figures(sample, predictions),
        **camera_figures(sample, predictions),
        **motion_figures(sample, predictions),
        "alpha": float(alpha.mean()),
    }


def image_figures(sample: TrainingSample, rgb: Float[Tensor, "s 3 h w"], lpips: LPIPS | None = None) -> Figures:
    """Drawn intermediates, which the network never saw, over all pixels and over moving ones; keyframes beside them.

    `psnr_nearest` is what repeating the previous keyframe gives.
    """
    keyframes = sample.v_fwd.shape[0] + 1
    truth, drawn = (images.permute(0, 2, 3, 1) for images in (sample.rgb, rgb.clamp(0, 1)))
    middles = range(keyframes, len(truth))
    moving = moving_between(sample) if bool(sample.has_motion) and not bool(sample.static) else None
    figures = {
        "psnr": _mean(psnr(drawn[i], truth[i]) for i in middles),
        "ssim": _mean(ssim(drawn[i], truth[i]) for i in middles),
        "lpips": _mean(lpips(drawn[i], truth[i]) for i in middles) if lpips is not None else math.nan,
        "psnr_moving": math.nan,
        "psnr_keyframes": _mean(psnr(drawn[i], truth[i]) for i in range(keyframes)),
        "psnr_nearest": _mean(psnr(truth[i - keyframes], truth[i]) for i in middles),
    }
    if moving is not None:
        figures["psnr_moving"] = _mean(psnr(drawn[i], truth[i], moving[i - keyframes]) for i in middles)
    return figures


def depth_figures(sample: TrainingSample, predictions: NetworkPredictions) -> Figures:
    """The depth head's error after one scale for the clip."""
    if predictions.depth is None or not bool(sample.has_depth):
        return {"depth_abs_rel": math.nan, "depth_delta": math.nan}
    keyframes = predictions.depth.shape[1]
    error = depth_error(predictions.depth[0], sample.depth[:keyframes], sample.valid[:keyframes])
    return {"depth_abs_rel": error.abs_rel, "depth_delta": error.delta_125}


def camera_figures(sample: TrainingSample, predictions: NetworkPredictions) -> Figures:
    """Errors of the poses between every two keyframes.

    `pose_auc` is the area under the share of pairs whose larger error, of rotation or of the direction of translation,
    is below a threshold, from 0 to 30 degrees; 1 is perfect. Cameras in one place have no direction.
    """
    if not bool(sample.has_pose):
        return {"pose_auc": math.nan, "rotation_degrees": math.nan}
    keyframes = predictions.c2w.shape[1]
    rotations, directions = _pair_errors(predictions.c2w[0], sample.c2w[:keyframes])
    worst = torch.maximum(rotations, directions)
    return {
        "pose_auc": float((1 - worst / AUC_DEGREES).clamp_min(0).mean()),
        "rotation_degrees": float(rotations.mean()),
    }


def motion_figures(sample: TrainingSample, predictions: NetworkPredictions) -> Figures:
    """3D end-point errors of both velocities, and what predicting no motion would give for what moves."""
    names = ("epe_moving", "epe_still", "epe_moving_zero")
    if not bool(sample.has_motion) or predictions.velocity_fwd is None or predictions.velocity_bwd is None:
        return dict.fromkeys(names, math.nan)
    true = torch.cat([sample.v_fwd, sample.v_bwd])
    valid = torch.cat([sample.v_fwd_valid, sample.v_bwd_valid])
    found = torch.cat([predictions.velocity_fwd[0], predictions.velocity_bwd[0]])
    error, length = (found - true).norm(dim=-1), true.norm(dim=-1)
    moving = valid & (length > MOVING)
    return {
        "epe_moving": _masked_mean(error, moving),
        "epe_still": _masked_mean(error, valid & ~moving),
        "epe_moving_zero": _masked_mean(length, moving),
    }


def mean_figures(clips: Sequence[Figures]) -> Figures:
    """Mean of every figure over the clips that have it."""
    return {name: _mean(clip[name] for clip in clips) for name in clips[0]} if clips else {}


def _pair_errors(
    found: Float[Tensor, "n 4 4"], true: Float[Tensor, "n 4 4"]
) -> tuple[
    Float[Tensor, " p"],  # rotation, degrees
    Float[Tensor, " p"],  # direction of translation, degrees; 0 where there is none
]:
    first, second = torch.triu_indices(len(true), len(true), offset=1, device=true.device)
    poses = []
    for c2w in (found.double(), true.double()):
        a, b = c2w[first], c2w[second]
        poses.append((a[:, :3, :3].mT @ b[:, :3, :3], _rotated(a, b[:, :3, 3] - a[:, :3, 3])))
    (rotation, shift), (true_rotation, true_shift) = poses
    turned = so3_log(rotation.mT @ true_rotation).norm(dim=-1).rad2deg()
    cosine = torch.nn.functional.cosine_similarity(shift, true_shift, dim=-1, eps=1e-12).clamp(-1, 1)
    angle = torch.where(true_shift.norm(dim=-1) > _STANDS_STILL, cosine.acos().rad2deg(), 0.0)
    return turned, angle


def _rotated(c2w: Float[Tensor, "p 4 4"], shift: Float[Tensor, "p 3"]) -> Float[Tensor, "p 3"]:
    """A shift of the world in the cameras' axes."""
    return (c2w[:, :3, :3].mT @ shift[..., None])[..., 0]


def _masked_mean(values: Float[Tensor, "*n"], mask: Bool[Tensor, "*n"]) -> float:
    return float(values[mask].mean()) if bool(mask.any()) else math.nan


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
