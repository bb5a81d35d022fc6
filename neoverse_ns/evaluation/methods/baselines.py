"""What needs no 3D scene, on the held-out frames of a clip: repeating a frame, interpolating along optical flow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.evaluation.methods.flow_interpolation import interpolate_along_flow
from neoverse_ns.metrics.image import psnr, ssim
from neoverse_ns.reconstruct.split import FrameSplit


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
