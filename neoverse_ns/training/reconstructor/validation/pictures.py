"""One picture of a clip: what the network saw, what was drawn of it, and its depth and motion beside the truth."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.render.depth import coloured_depth, depth_range
from neoverse_ns.training.data.sample import TrainingSample

_GAP = 2
_GREY = 0.25


def contact_sheet(
    sample: TrainingSample,
    rgb: Float[Tensor, "s 3 h w"],
    depth: Float[Tensor, "s h w"],
    alpha: Float[Tensor, "s h w"],
    predictions: NetworkPredictions,
) -> Float[Tensor, "3 H W"]:
    """A column for every frame, in order of time; grey where a frame has no such thing.

    Rows, from the top: inputs, true colours, drawn colours, true depth, depth of the depth head, depth of the Gaussian
    head, drawn depth (near is bright, one scale for all), true motion toward the next keyframe, predicted motion
    (x red, y green, z blue, none is grey), drawn alpha.

    Args:
        sample: Without a batch's dimension.
        rgb: As drawn, with the true cameras.
        depth: As drawn.
        alpha: As drawn.
        predictions: Of its keyframes; of one clip.
    """
    keyframes = sample.inputs.shape[0]
    order = sample.times.argsort().tolist()
    known = sample.depth[sample.valid]
    near_far = depth_range(known.cpu())
    fastest = max(float(sample.v_fwd.abs().amax()), 0.02)
    depth_heads = [None if p is None else p[0] for p in (predictions.depth, predictions.gs_depth)]
    moved = None if predictions.velocity_fwd is None else predictions.velocity_fwd[0]
    rows: list[tuple[Tensor | None, int]] = [
        (sample.inputs, keyframes),
        (sample.rgb, len(order)),
        (rgb.clamp(0, 1), len(order)),
        (_depth_colours(torch.where(sample.valid, sample.depth, 0.0), near_far), len(order)),
        *((None if d is None else _depth_colours(d, near_far), keyframes) for d in depth_heads),
        (_depth_colours(depth * (alpha > 0.5), near_far), len(order)),
        (_motion_colours(torch.where(sample.v_fwd_valid[..., None], sample.v_fwd, 0.0), fastest), keyframes - 1),
        (None if moved is None else _motion_colours(moved, fastest), keyframes - 1),
        (alpha.clamp(0, 1)[:, None].expand(-1, 3, -1, -1), len(order)),
    ]
    empty = torch.full_like(sample.rgb[0], _GREY)
    lines = []
    for images, count in rows:
        tiles = [images[frame] if images is not None and frame < count else empty for frame in order]
        lines.append(torch.cat([_framed(tile.float()) for tile in tiles], dim=2))
    return torch.cat(lines, dim=1).cpu()


def _depth_colours(depth: Float[Tensor, "n h w"], near_far: tuple[float, float]) -> Float[Tensor, "n 3 h w"]:
    images = [coloured_depth(one.detach().float(), *near_far) for one in depth]
    return torch.stack(images).permute(0, 3, 1, 2).to(depth.device) / 255


def _motion_colours(velocity: Float[Tensor, "n h w 3"], fastest: float) -> Float[Tensor, "n 3 h w"]:
    return (0.5 + 0.5 * velocity.permute(0, 3, 1, 2) / fastest).clamp(0, 1)


def _framed(image: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 H W"]:
    return torch.nn.functional.pad(image, (0, _GAP, 0, _GAP), value=1.0)
