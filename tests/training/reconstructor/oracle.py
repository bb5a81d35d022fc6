"""Predictions filled with truth."""

from __future__ import annotations

import torch
from torch import Tensor

from neoverse_ns.geometry.projection import unproject
from neoverse_ns.networks.neoverse.pixel_splats import lift
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.training.data.batch import TrainingBatch
from neoverse_ns.training.reconstructor.losses.camera import camera_vectors

OPACITY, LIFE_SPAN = 3.0, 4.0
"""Logits: nearly opaque, alive almost to the next keyframe."""


def true_predictions(batch: TrainingBatch, pixel_centres: bool = True) -> NetworkPredictions:
    """What a network that knows everything says, with Gaussians of about a pixel and certainty of 1 everywhere."""
    sample = batch.tensors
    clips, keyframes, _, height, width = sample.inputs.shape
    c2w, K, depth = (values[:, :keyframes] for values in (sample.c2w, sample.K, sample.depth))
    params = camera_vectors(c2w, K, height, width)
    ones = torch.ones_like(depth)
    gs_params = depth.new_zeros(clips, keyframes, height, width, 12)
    gs_params[..., 0] = 1
    gs_params[..., 4:7] = (0.6 * depth / K[..., 0, 0, None, None]).log()[..., None]
    gs_params[..., 7] = OPACITY
    gs_params[..., 11] = LIFE_SPAN
    none = torch.zeros_like(sample.v_fwd)
    return NetworkPredictions(
        camera_params=params,
        c2w=c2w,
        K=K,
        depth=depth,
        depth_conf=ones,
        pts3d=lift(depth, K, c2w, pixel_centres),
        pts3d_conf=ones,
        velocity_fwd=sample.v_fwd,
        velocity_fwd_conf=ones[:, 1:],
        velocity_bwd=sample.v_bwd,
        velocity_bwd_conf=ones[:, 1:],
        gs_depth=depth,
        gs_depth_conf=ones,
        gs_fwd_attr=none,
        gs_bwd_attr=none,
        gs_params=gs_params,
        camera_rounds=params[:, None].expand(-1, 4, -1, -1),
        pixel_centres=pixel_centres,
    )


def next_to_moving(batch: TrainingBatch, clip: int = 0) -> Tensor:
    """Pixels of the intermediate frames [m,h,w] onto which something that moves projects halfway from a keyframe."""
    sample, between = batch.tensors, batch.tensors.v_fwd.shape[1]
    keyframes, height, width = between + 1, *sample.depth.shape[-2:]
    found = torch.zeros(between, height, width, dtype=torch.bool)
    for gap in range(between):
        for k, velocity in ((gap, sample.v_fwd[clip, gap]), (gap + 1, sample.v_bwd[clip, gap])):
            c2w, K = sample.c2w[clip, k], sample.K[clip, k]
            points = unproject(sample.depth[clip, k], K, c2w) + 0.5 * velocity @ c2w[:3, :3].T
            moving = velocity.norm(dim=-1) > 0.01
            frame = keyframes + gap
            seen = (points[moving] - sample.c2w[clip, frame, :3, 3]) @ sample.c2w[clip, frame, :3, :3]
            pixel = seen @ sample.K[clip, frame].T
            column, row = (pixel[:, :2] / pixel[:, 2:]).floor().long().unbind(-1)
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            found[gap, row[inside], column[inside]] = True
    return found
