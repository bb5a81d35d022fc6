"""How well a reconstruction shows what truly moves: in held-out frames, from aside, in depth, and in its masks."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from _benchmark.mover_render import AsideView, MoverClip, cut_out, views_aside
from neoverse_ns.clip.synthetic.render import render_truth
from neoverse_ns.console import progress
from neoverse_ns.evaluation.judges.cameras.geometry import intersection_over_union
from neoverse_ns.evaluation.judges.runs.things import LEAST_PIXELS, score_depth
from neoverse_ns.evaluation.methods.baselines import score_baselines, score_inside
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.image import psnr
from neoverse_ns.rasterize.drawing import Drawing, depth_or_far
from neoverse_ns.reconstruct.scene import Scene

VANISHED = 0.25
"""Share of a thing's pixels, seen from aside, below which it counts as vanished."""
BEFORE = 0.02
"""How far before what lies behind it a thing must be drawn, of that depth; half the true gap where that is less."""

Draw = Callable[[PinholeCameras, float], Drawing]
"""Draws a scene from one camera of its world at a normalised time."""


@dataclass(frozen=True)
class OwnViews:
    """The sampled frames' own views.

    Attributes:
        rgb: As drawn.
        depth: As drawn, the scene's units.
        truth: True depth.
        things: Number of the thing at every pixel.
    """

    rgb: Float[Tensor, "n h w 3"]
    depth: Float[Tensor, "n h w"]
    truth: Float[Tensor, "n h w"]
    things: UInt8[Tensor, "n h w"]


def score_movers(clip: MoverClip, scene: Scene, draw: Draw, every: int = 1) -> dict[str, Any]:
    """All measurements of one scene.

    Args:
        clip: What is true.
        scene: Its reconstruction; frames of the source are told by `frame_indices`.
        draw: Draws it.
        every: From aside one sampled frame in so many is looked at.

    Returns:
        `moving` and `still` dB of held-out frames on true masks, `flow_moving` and `flow_still` of flow interpolation;
        `share` of moving pixels; `iou` of the keyframes' masks; `depth`, as drawn in all sampled frames, see
        :func:`_benchmark.things.score_depth`; and what :func:`score_aside` says.
    """
    frames = scene.clip.frame_indices.tolist()
    own = _own_views(clip, scene, draw, frames)
    held_out, moving = scene.split.held_out, own.things > 0
    drawn = (own.rgb[held_out] * 255).round().to(torch.uint8)
    pairs = list(zip(drawn, scene.clip.frames[held_out], strict=True))
    baselines = score_baselines(scene.clip, scene.split, moving[held_out])
    depth = score_depth(own.depth, own.truth, own.things)
    looked = list(range(0, len(frames), every))
    cameras, times = scene.geometry.cameras[looked], scene.clip.times[looked]
    aside = score_aside(clip, [frames[place] for place in looked], cameras, times, draw, depth["scale"])
    return {
        "share": float(moving.float().mean()),
        "moving": score_inside(pairs, moving[held_out])["psnr"],
        "still": score_inside(pairs, ~moving[held_out])["psnr"],
        "flow_moving": baselines["flow_interpolation"]["psnr_dynamic"],
        "flow_still": baselines["flow_interpolation"]["psnr_static"],
        "iou": intersection_over_union(scene.geometry.dynamic, moving[scene.geometry.keyframes]),
        "depth": depth,
        **aside,
    }


def score_aside(
    clip: MoverClip,
    frames: list[int],
    cameras: PinholeCameras,
    times: Float[Tensor, " n"],
    draw: Draw,
    scale: float,
) -> dict[str, Any]:
    """Every thing at every frame from 15 degrees to its left and right.

    Args:
        clip: What is true.
        frames: Of the source.
        cameras: Estimated ones of these frames.
        times: Their normalised times.
        draw: Draws the scene.
        scale: What brings the scene's lengths to true ones.

    Returns:
        `aside`: mean dB of the things' pixels; `shares`: by thing, its visible share in every view; `least_share`;
        `views`; and `vanished`: views in which the share is below VANISHED.
    """
    numbers = sorted({solid.thing for solid in clip.solids} - {0})
    shares: dict[str, list[float]] = {str(number): [] for number in numbers}
    decibels: list[float] = []
    with progress("looking from aside", len(frames)) as steps:
        for place, frame in enumerate(frames):
            for number in numbers:
                for view in views_aside(clip, frame, number, LEAST_PIXELS):
                    drawing = draw(place_aside(view, cameras[[place]], scale), float(times[place]))
                    shares[str(number)].append(visible_share(view, drawing, scale))
                    decibels.append(psnr(drawing.rgb[0].clamp(0, 1), view.rgb.float() / 255, view.mask))
            steps.advance()
    each = [share for found in shares.values() for share in found]
    return {
        "aside": statistics.fmean(decibels) if decibels else float("nan"),
        "shares": shares,
        "least_share": min(each, default=float("nan")),
        "mean_share": statistics.fmean(each) if each else float("nan"),
        "views": len(each),
        "vanished": sum(share < VANISHED for share in each),
    }


def place_aside(view: AsideView, own: PinholeCameras, scale: float) -> PinholeCameras:
    """The side camera relative to the estimated own one, with that one's lens, as far away in the scene's units."""
    motion = view.motion.to(own.c2w).clone()
    motion[:3, 3] /= scale
    side = PinholeCameras(own.c2w @ motion, own.K, own.width, own.height)
    return cut_out(side, view.corner, (view.rgb.shape[1], view.rgb.shape[0]))


def visible_share(view: AsideView, drawing: Drawing, scale: float) -> float:
    """Share of a thing's pixels at which the drawing shows it.

    There something is drawn before what truly lies behind the thing, and the colour is nearer to the thing's than to
    what would be seen without it.
    """
    colours = drawing.rgb[0].clamp(0, 1)
    to_thing = (colours - view.rgb.float() / 255).square().sum(dim=-1)
    to_rest = (colours - view.without.float() / 255).square().sum(dim=-1)
    margin = torch.minimum(BEFORE * view.behind, (view.behind - view.depth) / 2)
    before = scale * depth_or_far(drawing)[0, ..., 0] < view.behind - margin
    return float((before & (to_thing < to_rest))[view.mask].float().mean())


def _own_views(clip: MoverClip, scene: Scene, draw: Draw, frames: list[int]) -> OwnViews:
    cameras, views = scene.geometry.cameras, []
    for place, frame in enumerate(frames):
        drawing = draw(cameras[[place]], float(scene.clip.times[place]))
        truth = render_truth(clip.solids, clip.time(frame), clip.cameras[[frame]])
        views.append((drawing.rgb[0].clamp(0, 1), depth_or_far(drawing)[0, ..., 0], *truth))
    return OwnViews(*(torch.stack(list(part)) for part in zip(*views, strict=True)))
