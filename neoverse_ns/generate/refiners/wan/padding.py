"""Frames as the model takes them: 4k + 1 of them, with sides that are multiples of 16."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.generate.refiners.wan.config import FRAMES_PER_LATENT, SIDE_MULTIPLE


def padded_count(frames: int) -> int:
    """The next 4k + 1."""
    return frames + -(frames - 1) % FRAMES_PER_LATENT


def padded_side(side: int) -> int:
    """The next multiple of 16."""
    return side + -side % SIDE_MULTIPLE


def pad_conditions(conditions: Conditions) -> Conditions:
    """Repeat the last frame, and the last row and column, until the model takes them; rays run on past the edges.

    Cut the result back with `frames[:n, :h, :w]`.
    """
    right, below = padded_side(conditions.width) - conditions.width, padded_side(conditions.height) - conditions.height
    more = padded_count(len(conditions)) - len(conditions)
    if right or below:
        conditions = replace(
            conditions,
            rgb=_extend(conditions.rgb.movedim(-1, 1), right, below).movedim(1, -1),
            depth=_extend(conditions.depth, right, below),
            alpha=_extend(conditions.alpha, right, below),
            mask=_extend(conditions.mask.float(), right, below) > 0.5,
            plucker=_extend_rays(conditions, right, below),
        )
    if not more:
        return conditions
    rows = torch.arange(len(conditions) + more, device=conditions.device).clamp_max(len(conditions) - 1)
    return replace(conditions, **{name: value[rows] for name, value in conditions.tensors().items()})


def _extend(maps: Tensor, right: int, below: int) -> Tensor:
    """Repeat the last columns and rows of [n, ..., h, w]."""
    flat = maps.reshape(len(maps), -1, *maps.shape[-2:])
    flat = pad(flat, (0, right, 0, below), mode="replicate")
    return flat.reshape(*maps.shape[:-2], *flat.shape[-2:])


def _extend_rays(conditions: Conditions, right: int, below: int) -> Tensor:
    """Rays of the larger picture; withheld ones, which are zero, stay withheld."""
    height, width = conditions.height, conditions.width
    rays = plucker_maps(conditions.c2w, conditions.K, height + below, width + right)
    rays[..., :height, :width] = conditions.plucker
    return rays * conditions.plucker.flatten(1).any(dim=1)[:, None, None, None]
