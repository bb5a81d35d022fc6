"""Samples of random worlds, put together by hand."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.data.sets.world_clip import WorldClip


def sample_of(clip: WorldClip, keyframes: tuple[int, ...]) -> TrainingSample:
    """Keyframes of a world with the frames in their middle, in the world's own axes and unit."""
    numbers = [*keyframes, *((a + b) // 2 for a, b in pairwise(keyframes))]
    frames = [clip.frame(number) for number in numbers]

    def motion(pairs: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        moved = [clip.displacement(a, b) for a, b in pairs]
        turns = [torch.from_numpy(clip.c2w[a][:3, :3]).float() for a, _ in pairs]
        own = [m.world @ turn for m, turn in zip(moved, turns, strict=True)]
        return torch.stack(own), torch.stack([m.valid for m in moved])

    pairs = list(pairwise(keyframes))
    v_fwd, v_fwd_valid = motion(pairs)
    v_bwd, v_bwd_valid = motion([(b, a) for a, b in pairs])
    depth = torch.stack([frame.depth for frame in frames if frame.depth is not None])
    rgb = torch.stack([frame.rgb.permute(2, 0, 1).float() / 255 for frame in frames])
    yes = torch.tensor(True)
    return TrainingSample(
        inputs=rgb[: len(keyframes)],
        rgb=rgb,
        times=torch.tensor(numbers) - numbers[0],
        K=torch.stack([frame.K for frame in frames]).float(),
        c2w=torch.stack([frame.c2w for frame in frames if frame.c2w is not None]).float(),
        depth=depth,
        valid=depth > 0,
        v_fwd=v_fwd,
        v_bwd=v_bwd,
        v_fwd_valid=v_fwd_valid,
        v_bwd_valid=v_bwd_valid,
        static=torch.tensor(clip.info.static),
        has_pose=yes,
        has_depth=yes,
        has_motion=yes,
        weights=torch.ones(4),
        scale=torch.tensor(1.0),
    )
