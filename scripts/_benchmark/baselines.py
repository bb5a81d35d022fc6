"""What needs no 3D scene: repeating a frame, interpolating along optical flow, shifting an image sideways."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.metrics.image import psnr, ssim
from neoverse_ns.reconstruct.split import FrameSplit

CONSISTENCY = 1.5
"""Disagreement in pixels of forward and backward flow at which confidence has fallen to 1/e."""

Image = UInt8[np.ndarray, "h w 3"]
Flow = Float32[np.ndarray, "h w 2"]


def score(
    pairs: Iterable[tuple[Tensor, Tensor]], worlds: Sequence[Bool[Tensor, "h w"] | None] | None = None
) -> dict[str, Any]:
    """PSNR and SSIM of pairs of uint8 RGB images [h, w, 3]: every value and the means.

    Args:
        pairs: An image and the truth each.
        worlds: Pixels of each pair that count; the others are black in both, as `ns-eval` has it. None for all.
    """
    psnrs, ssims = [], []
    for number, (a, b) in enumerate(pairs):
        world, one, other = None if worlds is None else worlds[number], a.float() / 255, b.float() / 255
        if world is not None:
            one, other = one * world[..., None], other * world[..., None]
        psnrs.append(psnr(one, other, world))
        ssims.append(ssim(one, other, world))
    return {"psnr": float(np.mean(psnrs)), "ssim": float(np.mean(ssims)), "psnr_each": psnrs, "ssim_each": ssims}


def score_inside(pairs: Iterable[tuple[Tensor, Tensor]], masks: Bool[Tensor, "m h w"]) -> dict[str, Any]:
    """PSNR inside masks: every value, NaN where a mask is empty, and the mean of the others."""
    each = [psnr(a.float() / 255, b.float() / 255, mask) for (a, b), mask in zip(pairs, masks, strict=True)]
    known = [value for value in each if not math.isnan(value)]
    return {"psnr": float(np.mean(known)) if known else math.nan, "psnr_each": each}


def score_baselines(
    clip: Clip, split: FrameSplit, moving: Bool[Tensor, "m h w"] | None = None
) -> dict[str, dict[str, Any]]:
    """Both baselines over the held-out frames; each uses the nearest training frames around.

    Args:
        clip: Its ignored pixels count nowhere.
        split: Which frames are held out.
        moving: Moving pixels of the held-out frames; with them `psnr_dynamic` and `psnr_static` are given, too.
    """
    pictures, truth = baseline_pictures(clip, split), list(clip.frames[split.held_out])
    worlds = [clip.world(frame) for frame in split.held_out]
    result: dict[str, dict[str, Any]] = {}
    for name, drawn in pictures.items():
        pairs = list(zip(drawn, truth, strict=True))
        result[name] = score(pairs, worlds)
        if moving is not None:
            for key, masks in (("dynamic", moving), ("static", ~moving)):
                counted = [mask if world is None else mask & world for mask, world in zip(masks, worlds, strict=True)]
                inside = score_inside(pairs, torch.stack(counted) if counted else masks)
                result[name] |= {f"psnr_{key}": inside["psnr"], f"psnr_{key}_each": inside["psnr_each"]}
    return result


def baseline_pictures(clip: Clip, split: FrameSplit) -> dict[str, list[UInt8[Tensor, "h w 3"]]]:
    """Every held-out frame as each baseline has it."""
    repeat, flow = [], []
    for frame in split.held_out:
        before = max(i for i in split.train if i < frame)
        after = min(i for i in split.train if i > frame)
        span = clip.seconds[after] - clip.seconds[before]
        share = ((clip.seconds[frame] - clip.seconds[before]) / span).item()
        repeat.append(clip.frames[before])
        between = interpolate_along_flow(clip.frames[before].numpy(), clip.frames[after].numpy(), share)
        flow.append(torch.from_numpy(between))
    return {"repeat_previous": repeat, "flow_interpolation": flow}


def interpolate_along_flow(before: Image, after: Image, share: float) -> Image:
    """The frame at `share` of the way between two frames.

    Flow in both directions (DIS, Kroeger et al. 2016) is brought to the wanted time (Jiang et al., Super SloMo 2018,
    equation 4), both frames are warped along it, and blended by nearness in time and by how well each pixel's flow and
    the opposite flow cancel, which is where nothing is occluded.
    """
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (before, after)]
    forward, backward = dis_flow(grey[0], grey[1]), dis_flow(grey[1], grey[0])
    to_before = -(1 - share) * share * forward + share**2 * backward
    to_after = (1 - share) ** 2 * forward - share * (1 - share) * backward
    trust = [flow_confidence(forward, backward), flow_confidence(backward, forward)]
    weights, warped = [], []
    nearness = (1 - share, share)
    for image, flow, confidence, near in zip((before, after), (to_before, to_after), trust, nearness, strict=True):
        warped.append(_warp(image.astype(np.float32), flow, cv2.BORDER_REPLICATE))
        inside = _warp(np.ones(flow.shape[:2], np.float32), flow, cv2.BORDER_CONSTANT)
        weights.append(near * inside * _warp(confidence, flow, cv2.BORDER_REPLICATE) + 1e-4 * near)
    total = (weights[0] + weights[1])[..., None]
    blend = (weights[0][..., None] * warped[0] + weights[1][..., None] * warped[1]) / total
    return blend.round().clip(0, 255).astype(np.uint8)


def dis_flow(first: UInt8[np.ndarray, "h w"], second: UInt8[np.ndarray, "h w"]) -> Flow:
    """Displacement in pixels (x, y) from `first` to `second`, by dense inverse search."""
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    start = np.zeros((*first.shape, 2), np.float32)
    return np.asarray(engine.calc(first, second, start), np.float32)


def flow_confidence(flow: Flow, opposite: Flow) -> Float32[np.ndarray, "h w"]:
    """Near 1 where following `flow` and then `opposite` leads back."""
    gap = np.linalg.norm(flow + _warp(opposite, flow, cv2.BORDER_REPLICATE), axis=-1)
    return np.exp(-((gap / CONSISTENCY) ** 2)).astype(np.float32)


def _warp(image: np.ndarray, flow: Flow, border: int) -> np.ndarray:
    """`image` looked up at every pixel's position plus `flow`."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    map_x, map_y = np.add(x, flow[..., 0]), np.add(y, flow[..., 1])
    return cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=border)
