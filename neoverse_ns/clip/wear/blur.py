"""Motion blur: the light that a pixel gathers while its surroundings move across it."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

MOST_STEPS = 25
"""Moments of the open shutter that are drawn at most."""

LEAST_LENGTH = 0.25
"""Pixels below which nothing is blurred."""

LEAST_AREA = 0.2
"""Of what reaches a pixel at one moment, in pixels, below which it is seen through."""

OCCLUSION = 12
"""Power of inverse depth that splatted pixels weigh by: what is a tenth nearer covers three times as much as what is
behind, what is twice as near thousands of times."""


def motion_blur(
    light: Float[Tensor, "k 3 h w"],
    flow: Float[Tensor, "k h w 2"],
    shutter: float,
    depth: Float[Tensor, "k h w"] | None = None,
) -> Float[Tensor, "k 3 h w"]:
    """Average over the time that the shutter is open, with frames in its middle and all motion straight meanwhile.

    Every moment is drawn by moving pixels along their own flow, the nearest on top, so that what moves smears over what
    does not, and not the other way round. Where nothing is drawn at a moment, what is far nearby shows.

    Args:
        light: Linear light.
        flow: Way of every pixel until the next frame, x and y, in pixels.
        shutter: In intervals between frames.
        depth: Of every pixel, 0 where it is unknown or very far; without it, all that meets in a pixel counts alike.
    """
    blurred = []
    for index, (picture, way) in enumerate(zip(light, flow, strict=True)):
        length = shutter * float(way.norm(dim=-1).max())
        if not math.isfinite(length) or length < LEAST_LENGTH:
            blurred.append(picture)
            continue
        weight = torch.ones_like(way[..., 0]) if depth is None else _nearness(depth[index])
        steps = min(max(3, math.ceil(length) + 1), MOST_STEPS)
        moments = ((torch.arange(steps) + 0.5) / steps - 0.5) * shutter
        behind = _behind(picture, weight, math.ceil(length / 2))
        blurred.append(_average(picture, behind, way, weight, moments.tolist()))
    return torch.stack(blurred)


def _nearness(depth: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    known = depth > 0
    if not bool(known.any()):
        return torch.ones_like(depth)
    far = 4 * depth.max()
    ratio = depth[known].median() / torch.where(known, depth, far)
    return ratio.clamp(0.2, 5) ** OCCLUSION


def _behind(picture: Float[Tensor, "3 h w"], weight: Float[Tensor, "h w"], reach: int) -> Float[Tensor, "3 h w"]:
    """What a pixel would show if what is near were taken away: the mean around it, of the far above all."""
    reach = min(reach, min(picture.shape[1:]) - 1)
    far = 1 / weight
    sums = torch.cat([picture * far, far[None]])[None]
    padded = pad(sums, (reach, reach, reach, reach), mode="reflect")
    mean = avg_pool2d(padded, 2 * reach + 1, stride=1)[0]
    return mean[:3] / mean[3:]


def _average(
    picture: Float[Tensor, "3 h w"],
    behind: Float[Tensor, "3 h w"],
    flow: Float[Tensor, "h w 2"],
    weight: Float[Tensor, "h w"],
    moments: list[float],
) -> Float[Tensor, "3 h w"]:
    _, height, width = picture.shape
    # Weighted colours, weight and area side by side, so that one pass adds them all.
    sums = [picture.permute(1, 2, 0) * weight[..., None], weight[..., None], torch.ones_like(weight)[..., None]]
    values = torch.cat(sums, -1).view(-1, 5)
    hidden = behind.flatten(1).T
    x = torch.arange(width, dtype=flow.dtype).expand(height, width)
    y = torch.arange(height, dtype=flow.dtype)[:, None].expand(height, width)
    total = torch.zeros(height * width, 3)
    for moment in moments:
        place = torch.stack([x + moment * flow[..., 0], y + moment * flow[..., 1]]).view(2, -1)
        drawn = _splat(values, place[0], place[1], height, width)
        # Nothing reaches a few pixels at the picture's border and behind things.
        total += torch.where(drawn[:, 4:] > LEAST_AREA, drawn[:, :3] / drawn[:, 3:4].clamp_min(1e-30), hidden)
    return (total / len(moments)).T.reshape(picture.shape)


def _splat(
    values: Float[Tensor, "n 5"], x: Float[Tensor, " n"], y: Float[Tensor, " n"], height: int, width: int
) -> Float[Tensor, "n 5"]:
    """Add every value to the four pixels around its new place, by bilinear shares; what leaves the picture is lost."""
    drawn = torch.zeros_like(values)
    left, top = x.floor(), y.floor()
    right_share, low_share = x - left, y - top
    column, row = left.to(torch.int64), top.to(torch.int64)
    for down in (0, 1):
        for across in (0, 1):
            share = (low_share if down else 1 - low_share) * (right_share if across else 1 - right_share)
            place, inside = _place(row + down, column + across, height, width)
            drawn.index_add_(0, place, values * (share * inside)[:, None])
    return drawn


def _place(
    row: Int64[Tensor, " n"], column: Int64[Tensor, " n"], height: int, width: int
) -> tuple[Int64[Tensor, " n"], Tensor]:
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    return row.clamp(0, height - 1) * width + column.clamp(0, width - 1), inside
