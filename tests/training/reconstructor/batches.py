"""Samples with exact truth from the synthetic courtyard, made without the loaders."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache

import torch
from torch import Tensor

from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.synthetic.render import camera_rays, cast, render_colour
from neoverse_ns.clip.synthetic.scene import build_scene
from neoverse_ns.clip.synthetic.textures import random_lattice
from neoverse_ns.training.data.batch import TrainingBatch, collate
from neoverse_ns.training.data.sample import TrainingSample

FRAMES = 25
"""Of the whole clip, of which a sample takes some."""


@lru_cache
def synthetic_sample(
    keyframes: int = 3,
    height: int = 28,
    width: int = 42,
    static: bool = False,
    seed: int = 0,
    first: int = 6,
    step: int = 1,
) -> TrainingSample:
    """Keyframes every 2 x `step` frames of the courtyard from frame `first` on; static: time stands still in it."""
    generator = torch.Generator().manual_seed(seed)
    lattice = random_lattice(generator)
    scene = build_scene(generator)
    cameras = camera_path(FRAMES, width, height, generator)
    count = 2 * keyframes - 1
    numbers = [first + step * 2 * k for k in range(keyframes)] + [
        first + step * (2 * k + 1) for k in range(keyframes - 1)
    ]
    moments = [0.5 if static else number / (FRAMES - 1) for number in numbers]
    rgb, depth, points, solids = [], [], [], []
    for number, moment in zip(numbers, moments, strict=True):
        camera = cameras[number : number + 1]
        origin, rays = camera_rays(camera)
        hits = cast(scene, moment, origin, rays)
        rgb.append(render_colour(scene, lattice, moment, camera).permute(2, 0, 1) / 255)
        depth.append(hits.depth.view(height, width))
        points.append(origin + rays * hits.depth[:, None])
        solids.append(hits.solid)
    to_first = torch.linalg.inv(cameras.c2w[first])

    def displaced(k: int, other: int) -> Tensor:
        moves = torch.stack([s.pose(moments[other]) @ torch.linalg.inv(s.pose(moments[k])) for s in scene])[solids[k]]
        world = (moves[:, :3, :3] @ points[k][:, :, None])[..., 0] + moves[:, :3, 3] - points[k]
        return (world @ cameras.c2w[numbers[k], :3, :3]).view(height, width, 3)

    gaps = range(keyframes - 1)
    c2w = to_first @ cameras.c2w[numbers]
    scale = torch.stack([(p @ to_first[:3, :3].T + to_first[:3, 3]).norm(dim=-1) for p in points]).mean()
    c2w[:, :3, 3] /= scale
    valid = torch.ones(count, height, width, dtype=torch.bool)
    known = torch.ones(keyframes - 1, height, width, dtype=torch.bool)
    yes = torch.tensor(True)
    return TrainingSample(
        inputs=torch.stack(rgb[:keyframes]),
        rgb=torch.stack(rgb),
        times=torch.tensor(numbers) - first,
        K=cameras.K[numbers].float(),
        c2w=c2w.float(),
        depth=(torch.stack(depth) / scale).float(),
        valid=valid,
        v_fwd=(torch.stack([displaced(k, k + 1) for k in gaps]) / scale).float(),
        v_bwd=(torch.stack([displaced(k + 1, k) for k in gaps]) / scale).float(),
        v_fwd_valid=known,
        v_bwd_valid=known.clone(),
        static=torch.tensor(static),
        has_pose=yes,
        has_depth=yes,
        has_motion=yes,
        weights=torch.ones(4),
        scale=scale.float(),
    )


def synthetic_batch(*samples: TrainingSample) -> TrainingBatch:
    """Those samples; one that moves and one that does not where none are given."""
    chosen = samples or (synthetic_sample(), synthetic_sample(static=True, seed=1))
    return collate([(sample, f"courtyard {number}") for number, sample in enumerate(chosen)])


def in_double(batch: TrainingBatch) -> TrainingBatch:
    """The same in float64."""
    values = {field.name: getattr(batch.tensors, field.name) for field in fields(TrainingSample)}
    wide = {name: value.double() if value.is_floating_point() else value for name, value in values.items()}
    return TrainingBatch(TrainingSample(**wide), batch.names)
