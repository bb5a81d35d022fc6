"""What moves in the frames between keyframes, whose own motion a sample does not hold."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from neoverse_ns.geometry.projection import project, unproject
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.training.data.sample import TrainingSample

MOVING = 0.01
"""Displacement from one keyframe to the next, in units of the sample, above which a surface counts as moving."""
_DEPTH_TOLERANCE = 0.1


def moving_between(sample: TrainingSample) -> Bool[Tensor, "m h w"]:
    """Pixels of each intermediate that show a moving surface.

    Moving pixels of both neighbouring keyframes are carried along their motion to the intermediate's time; where they
    meet its depth, or where that is unknown, they are seen. Gaps between them of one pixel are filled.

    Args:
        sample: Without a batch's dimension.
    """
    count, height, width = sample.v_fwd.shape[:3]
    first = count + 1
    masks = torch.zeros(count, height, width, dtype=torch.bool, device=sample.rgb.device)
    for gap in range(count):
        middle = first + gap
        begin, end = sample.times[gap], sample.times[gap + 1]
        share = float((sample.times[middle] - begin) / (end - begin))
        sides = (
            (gap, sample.v_fwd[gap], sample.v_fwd_valid[gap], share),
            (gap + 1, sample.v_bwd[gap], sample.v_bwd_valid[gap], 1 - share),
        )
        for keyframe, velocity, known, part in sides:
            moves = known & sample.valid[keyframe] & (velocity.norm(dim=-1) > MOVING)
            _mark(masks[gap], sample, keyframe, middle, part * velocity, moves)
    dilated = functional.max_pool2d(masks[:, None].float(), 3, stride=1, padding=1)
    closed = 1 - functional.max_pool2d(1 - dilated, 3, stride=1, padding=1)
    return closed[:, 0] > 0.5


def _mark(
    mask: Bool[Tensor, "h w"],
    sample: TrainingSample,
    keyframe: int,
    frame: int,
    moved: Float[Tensor, "h w 3"],
    moves: Bool[Tensor, "h w"],
) -> None:
    """Set where the moving surfaces of a keyframe are seen in another frame."""
    height, width = mask.shape
    local = unproject(sample.depth[keyframe], sample.K[keyframe], torch.eye(4).to(sample.c2w)) + moved
    rotation, centre = sample.c2w[keyframe, :3, :3], sample.c2w[keyframe, :3, 3]
    world = local[moves] @ rotation.mT + centre
    pixels, depth = project(world, se3_inverse(sample.c2w[frame]), sample.K[frame])
    column, row = pixels.floor().long().unbind(-1)
    inside = (depth > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    row, column, depth = row[inside], column[inside], depth[inside]
    true = sample.depth[frame][row, column]
    seen = ~sample.valid[frame][row, column] | ((depth - true).abs() < _DEPTH_TOLERANCE * true)
    mask[row[seen], column[seen]] = True
