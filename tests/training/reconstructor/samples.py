"""Small training samples of which all is known: a wall, and a square on it that moves, before a moving camera."""

from __future__ import annotations

import torch

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.training.data.batch import TrainingBatch, collate
from neoverse_ns.training.data.sample import TrainingSample

SPEED = torch.tensor([0.08, 0.02, 0.0])
"""Of the square, in the sample's unit from one keyframe to the next."""


def plane_sample(
    seed: int = 0, static: bool = False, keyframes: int = 3, height: int = 28, width: int = 42
) -> TrainingSample:
    """A textured wall at depth 1, before which cameras slide to the right; a square of it slides along `SPEED`."""
    generator = torch.Generator().manual_seed(seed)
    count = 2 * keyframes - 1
    times = torch.cat([torch.arange(0, count, 2), torch.arange(1, count, 2)])
    K = torch.tensor([[0.9 * width, 0.0, width / 2], [0.0, 0.9 * width, height / 2], [0.0, 0.0, 1.0]])
    c2w = torch.eye(4).repeat(count, 1, 1)
    c2w[:, 0, 3] = 0.04 * times
    waves = torch.rand(2, 3, 4, generator=generator)
    rgb, moving = [], []
    for frame in range(count):
        points = (pixel_centres(height, width) - K[:2, 2]) / K[0, 0] + c2w[frame, :2, 3]
        shift = 0.0 if static else SPEED[:2] * float(times[frame]) / 2
        inside = ((points - shift) - torch.tensor([0.0, 0.0])).abs().amax(-1) < 0.15
        moving.append(inside & (not static))
        rgb.append(torch.where(inside[None], _texture(points - shift, waves[0]), _texture(points, waves[1])))
    moves = torch.stack(moving)
    v = torch.where(moves[:keyframes, ..., None], SPEED, torch.zeros(3))
    valid = torch.ones(count, height, width, dtype=torch.bool)
    colours = torch.stack(rgb)
    return TrainingSample(
        inputs=colours[:keyframes],
        rgb=colours,
        times=times,
        K=K.repeat(count, 1, 1),
        c2w=c2w,
        depth=torch.ones(count, height, width),
        valid=valid,
        v_fwd=v[:-1],
        v_bwd=-v[1:],
        v_fwd_valid=valid[: keyframes - 1].clone(),
        v_bwd_valid=valid[: keyframes - 1].clone(),
        static=torch.tensor(static),
        has_pose=torch.tensor(True),
        has_depth=torch.tensor(True),
        has_motion=torch.tensor(True),
        weights=torch.ones(4),
        scale=torch.tensor(1.0),
    )


def plane_batch(*seeds: int, static: tuple[bool, ...] = ()) -> TrainingBatch:
    """Samples of these seeds; those that `static` says so hold still."""
    still = static or (False,) * len(seeds)
    return collate([(plane_sample(seed, hold), f"plane/{seed}") for seed, hold in zip(seeds, still, strict=True)])


def true_predictions(sample: TrainingSample) -> NetworkPredictions:
    """What a perfect network would say of cameras, depth and motion."""
    keyframes = sample.inputs.shape[0]
    return NetworkPredictions(
        camera_params=torch.zeros(1, keyframes, 9),
        c2w=sample.c2w[None, :keyframes].clone(),
        K=sample.K[None, :keyframes],
        depth=sample.depth[None, :keyframes].clone(),
        velocity_fwd=sample.v_fwd[None].clone(),
        velocity_bwd=sample.v_bwd[None].clone(),
    )


def _texture(points: torch.Tensor, waves: torch.Tensor) -> torch.Tensor:
    """[3,h,w] colours that wave over the wall."""
    phase = points[..., None, :] * (8 + 12 * waves[:, :2]) + 6 * waves[:, 2:]
    return (0.5 + 0.4 * phase.sin().prod(-1)).permute(2, 0, 1)
