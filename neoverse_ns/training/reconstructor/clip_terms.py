"""Every term of one clip, by what the clip knows."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.metrics.perceptual import PerceptualNetwork
from neoverse_ns.networks.neoverse.pixel_splats import lift
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.reconstructor.drawing.config import DrawingConfig
from neoverse_ns.training.reconstructor.drawing.draw_clip import Drawn
from neoverse_ns.training.reconstructor.drawing.masks import judged_pixels, seen_by_keyframes
from neoverse_ns.training.reconstructor.losses.camera import camera_loss, camera_vectors
from neoverse_ns.training.reconstructor.losses.colour import colour_loss, opacity_loss
from neoverse_ns.training.reconstructor.losses.config import LossConfig
from neoverse_ns.training.reconstructor.losses.motion import motion_loss
from neoverse_ns.training.reconstructor.losses.perceptual import perceptual_loss
from neoverse_ns.training.reconstructor.losses.robust import FEWEST, regression

SURFACE = 0.5
"""Drawn depth is judged where the drawing is at least so opaque."""

Terms = dict[str, Float[Tensor, ""]]


@dataclass(frozen=True)
class Knowledge:
    """What of a clip is known, as plain flags; see :class:`TrainingSample`."""

    static: bool
    pose: bool
    depth: bool
    motion: bool


@dataclass(frozen=True)
class ClipTruth:
    """One clip of a batch.

    Attributes:
        number: Which.
        sample: Its truth; poses of unknown unit brought to that of the predictions.
        known: What of it means anything.
    """

    number: int
    sample: TrainingSample
    known: Knowledge

    @property
    def keyframes(self) -> int:
        return self.sample.inputs.shape[0]


def one_of(batch: TrainingSample, number: int) -> TrainingSample:
    """A clip of a batch's."""
    return TrainingSample(**{field.name: getattr(batch, field.name)[number] for field in fields(TrainingSample)})


def clip_terms(
    truth: ClipTruth,
    predictions: NetworkPredictions,
    drawn: Drawn,
    config: LossConfig,
    drawing: DrawingConfig,
    perceptual: PerceptualNetwork | None = None,
) -> Terms:
    """All terms of a clip, each 0 where it lacks what the term needs.

    Args:
        truth: The clip.
        predictions: Of the whole batch.
        drawn: Of the clip.
        config: Which terms there are.
        drawing: How it was drawn.
        perceptual: LPIPS, where its weights are at hand.
    """
    terms = _drawn_terms(truth, drawn, drawing, perceptual)
    terms["camera"] = _camera_term(truth, predictions, config)
    terms |= _dense_terms(truth, predictions)
    terms["motion"] = _motion_term(truth, predictions, config)
    return terms


def weighted_sum(
    terms: dict[str, Float[Tensor, " b"]], weights: Float[Tensor, "b 4"], config: LossConfig
) -> Float[Tensor, " b"]:
    """Each clip's loss from its terms, the settings' weights and its own.

    Args:
        terms: Of :func:`clip_terms`, side by side.
        weights: See :class:`TrainingSample`; a clip of weight 0 counts nothing whatever its terms are.
        config: The settings' weights.
    """
    whole, colour, depth, motion = weights.unbind(-1)
    seen = config.rgb * (terms["rgb"] + config.lpips * terms["lpips"]) + config.regular * terms["regular"]
    near = terms["depth"] + config.gs_depth * terms["gs_depth"] + config.drawn_depth * terms["drawn_depth"]
    total = (
        colour * seen
        + config.camera * terms["camera"]
        + depth * (config.depth * near + config.points * terms["points"])
        + motion * config.motion * terms["motion"]
    )
    return torch.where(whole > 0, whole * total, 0.0)


def _drawn_terms(truth: ClipTruth, drawn: Drawn, drawing: DrawingConfig, perceptual: PerceptualNetwork | None) -> Terms:
    sample, known = truth.sample, truth.known
    none = drawn.alpha.new_zeros(())
    seen = None
    if known.depth and known.pose:
        cameras = (sample.c2w, sample.K, truth.keyframes)
        seen = seen_by_keyframes(sample.depth, sample.valid, *cameras, drawing.depth_tolerance)
    judged = judged_pixels(drawn.alpha.detach(), drawn.shown, seen)
    surface = sample.valid & (drawn.alpha.detach() > SURFACE) & drawn.shown[:, None, None]
    depth = none
    if known.depth:
        depth = regression(drawn.depth[..., None], sample.depth[..., None], surface, None, "depth")
    return {
        "rgb": colour_loss(drawn.rgb, sample.rgb, judged),
        "lpips": none if perceptual is None else perceptual_loss(perceptual, drawn.rgb, sample.rgb, judged),
        "regular": opacity_loss(drawn.alpha, judged),
        "drawn_depth": depth,
    }


def _camera_term(truth: ClipTruth, predictions: NetworkPredictions, config: LossConfig) -> Float[Tensor, ""]:
    sample, keyframes = truth.sample, truth.keyframes
    assert predictions.camera_rounds is not None
    rounds = predictions.camera_rounds[truth.number]
    if truth.known.depth and int(sample.valid[0].sum()) < FEWEST:
        return rounds.new_zeros(())
    height, width = sample.depth.shape[-2:]
    vectors = camera_vectors(sample.c2w[:keyframes], sample.K[:keyframes], height, width)
    return camera_loss(rounds, vectors, truth.known.pose, config.camera_rounds, config.camera_smooth)


def _dense_terms(truth: ClipTruth, predictions: NetworkPredictions) -> Terms:
    sample, clip, own = truth.sample, truth.number, slice(0, truth.keyframes)
    none = predictions.camera_params.new_zeros(())
    if not truth.known.depth:
        return {"depth": none, "gs_depth": none, "points": none}
    valid, depth = sample.valid[own], sample.depth[own]
    said = ((predictions.depth, predictions.depth_conf), (predictions.gs_depth, predictions.gs_depth_conf))
    depths = []
    for value, confidence in said:
        assert value is not None
        assert confidence is not None
        depths.append(regression(value[clip][..., None], depth[..., None], valid, confidence[clip], "depth"))
    points = none
    if predictions.pts3d is not None and predictions.pts3d_conf is not None and truth.known.pose:
        where = lift(depth, sample.K[own], sample.c2w[own], predictions.pixel_centres)
        points = regression(predictions.pts3d[clip], where, valid, predictions.pts3d_conf[clip], "normals")
    return {"depth": depths[0], "gs_depth": depths[1], "points": points}


def _motion_term(truth: ClipTruth, predictions: NetworkPredictions, config: LossConfig) -> Float[Tensor, ""]:
    sample, clip, known = truth.sample, truth.number, truth.known
    total = predictions.camera_params.new_zeros(())
    if not (known.motion and known.pose and known.depth):
        return total
    sides = (
        (predictions.velocity_fwd, predictions.velocity_fwd_conf, sample.v_fwd, sample.v_fwd_valid),
        (predictions.velocity_bwd, predictions.velocity_bwd_conf, sample.v_bwd, sample.v_bwd_valid),
    )
    form = (config.motion_form, config.balance_moving, config.moving_threshold, config.motion_smooth)
    for value, confidence, displacement, valid in sides:
        if value is not None and confidence is not None:
            total = total + motion_loss(value[clip], confidence[clip], displacement, valid, *form)
    return total
