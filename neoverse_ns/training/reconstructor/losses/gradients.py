"""Errors between neighbouring pixels, which make edges and normals right where single pixels say little (VGGT)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

_LARGEST = 100.0
_FEWEST_NORMALS = 10
_EPSILON = 1e-8


def depth_gradients(
    predicted: Float[Tensor, "s h w c"], truth: Float[Tensor, "s h w c"], mask: Bool[Tensor, "s h w"]
) -> Float[Tensor, ""]:
    """Absolute differences of neighbours' errors, by the number of valid pixels, over strides 1, 2, 4 and 8.

    Only pairs with both ends valid count.
    """
    difference = torch.where(mask[..., None], predicted - truth, 0.0)
    strides = [_one_stride(difference[:, ::step, ::step], mask[:, ::step, ::step]) for step in (1, 2, 4, 8)]
    return torch.stack(strides).mean()


def _one_stride(difference: Float[Tensor, "s h w c"], mask: Bool[Tensor, "s h w"]) -> Float[Tensor, ""]:
    total = difference.new_zeros(())
    for axis in (1, 2):
        size = mask.shape[axis] - 1
        pairs = mask.narrow(axis, 1, size) & mask.narrow(axis, 0, size)
        change = (difference.narrow(axis, 1, size) - difference.narrow(axis, 0, size)).abs()
        total = total + torch.where(pairs[..., None], change.clamp(max=_LARGEST), 0.0).sum()
    return total / (mask.sum() * difference.shape[-1]).clamp_min(1)


def normal_angles(
    predicted: Float[Tensor, "s h w 3"], truth: Float[Tensor, "s h w 3"], mask: Bool[Tensor, "s h w"]
) -> Float[Tensor, ""]:
    """One less the cosine between normals of both point maps, over strides 1, 2 and 4.

    Every pixel has up to four normals, the cross products of neighbouring sides; those with all three points valid
    count. A stride with fewer than ten of them counts 0.
    """
    strides = []
    for step in (1, 2, 4):
        part = mask[:, ::step, ::step]
        valid = _corners_valid(part)
        if int(valid.sum()) < _FEWEST_NORMALS:
            strides.append(predicted.new_zeros(()))
            continue
        own, other = (
            # What is masked must stay out of the products as well, or infinities would make NaN of their gradients.
            _normals(torch.where(part[..., None], points[:, ::step, ::step], 0.0))[valid]
            for points in (predicted, truth)
        )
        cosine = (own * other).sum(-1).clamp(-1 + _EPSILON, 1 - _EPSILON)
        strides.append((1 - cosine).mean())
    return torch.stack(strides).mean()


def _corners_valid(mask: Bool[Tensor, "s h w"]) -> Bool[Tensor, "4 s h w"]:
    around = F.pad(mask, (1, 1, 1, 1))
    up, left = around[:, :-2, 1:-1], around[:, 1:-1, :-2]
    down, right = around[:, 2:, 1:-1], around[:, 1:-1, 2:]
    return torch.stack([a & b & mask for a, b in ((up, left), (left, down), (down, right), (right, up))])


def _normals(points: Float[Tensor, "s h w 3"]) -> Float[Tensor, "4 s h w 3"]:
    around = F.pad(points, (0, 0, 1, 1, 1, 1))
    up, left = around[:, :-2, 1:-1] - points, around[:, 1:-1, :-2] - points
    down, right = around[:, 2:, 1:-1] - points, around[:, 1:-1, 2:] - points
    crossed = [torch.linalg.cross(a, b) for a, b in ((up, left), (left, down), (down, right), (right, up))]
    return F.normalize(torch.stack(crossed), dim=-1, eps=_EPSILON)
