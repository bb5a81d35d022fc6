"""What moves as things: linked through all training frames, each with one smooth depth path."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.reconstruct.bundle.depth.dense_solver import fill
from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import Views
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import KeyframeFlows
from neoverse_ns.reconstruct.bundle.motion.motion_search import MotionSearch
from neoverse_ns.reconstruct.bundle.motion.moving_keyframes import moving_keyframes
from neoverse_ns.reconstruct.bundle.motion.place_things import Still, place_things
from neoverse_ns.reconstruct.bundle.motion.thing_masks import refine_masks
from neoverse_ns.reconstruct.bundle.motion.things import find_things
from neoverse_ns.reconstruct.bundle.surfaces import Surfaces
from neoverse_ns.reconstruct.split import FrameSplit

MOVING = 2.0
"""How many times as far off depth is expected to be on what moves, of which several views say nothing together."""


def surfaces_with_things(
    search: MotionSearch,
    split: FrameSplit,
    moving: Bool[Tensor, "t h w"],
    depth: Float[Tensor, "t h w"],
    confidence: Float[Tensor, "t h w"],
) -> Surfaces:
    """What the keyframes show: the network's depth, with every thing where its path through all of them leads.

    Args:
        search: Frames, flow and cameras.
        split: Training frames and keyframes; every other training frame in which something moves becomes one, too.
        moving: Moving pixels of the training frames.
        depth: As the network sees it there, median 1.
        confidence: Trust in it, in [0, 1].
    """
    clip, train = search.clip, split.train
    images, flows = [clip.frames[frame] for frame in train], KeyframeFlows(search.flow, train)
    things = find_things(moving, images, flows)
    if search.parallax:
        # Before a camera that does not move colours that change have shown every outline to the pixel.
        things = refine_masks(things, images, None if clip.ignored is None else ~clip.ignored[train], flows)
    things, frames = moving_keyframes(things, split)
    places = [train.index(frame) for frame in frames]
    labels = torch.from_numpy(things.labels)
    seen, trust = depth[places], confidence[places]
    still = Still(
        depth=behind(seen, labels > 0),
        confidence=trust * (labels == 0),
        expected=seen,
        viewmats=search.viewmats[frames],
        focal=search.focal,
        parallax=search.parallax,
        expected_error=None if search.depth_error is None else MOVING * search.depth_error,
    )

    def views(place: int) -> Views | None:
        return search.views(frames[place]) if search.parallax else None

    linked = KeyframeFlows(with_links(search.flow, train, frames), frames)
    placed = place_things(things, still, linked, views, clip.seconds[frames].numpy())
    return Surfaces(frames, placed, trust, labels)


def behind(depth: Float[Tensor, "k h w"], moving: Bool[Tensor, "k h w"]) -> Float[Tensor, "k h w"]:
    """Depth with moving pixels filled in from their surroundings; a frame in which all moves stays as it is."""
    result = depth.clone()
    for here, mask in zip(result, moving, strict=True):
        if mask.any() and not mask.all():
            known = (~mask).to(here.dtype)
            here[mask] = 1 / fill(known / here, known)[mask]
    return result


def with_links(flow: FlowField, train: list[int], frames: list[int]) -> FlowField:
    """Flow with that between neighbouring `frames`, by way of the training frames between where none was measured."""
    flows, place = KeyframeFlows(flow, train), {frame: number for number, frame in enumerate(train)}
    found = {
        (a, b): flows.between(place[a], place[b])
        for i, j in pairwise(frames)
        for a, b in ((i, j), (j, i))
        if (a, b) not in flow.flow
    }
    ways = {pair: way for pair, way in found.items() if way is not None}
    return flow | FlowField({pair: way[0] for pair, way in ways.items()}, {pair: way[1] for pair, way in ways.items()})
