"""How much a video's picture shakes, told from its pixels alone, and how much it wobbles against the truth."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, UInt8
from torch import Tensor

from neoverse_ns.applications.stabilize.jitter import SECONDS
from neoverse_ns.evaluation.methods.flow_interpolation import dis_flow
from neoverse_ns.geometry.se3 import assemble
from neoverse_ns.trajectory.stabilise import stabilise

FEWEST = 30
"""Pixels of a frame below which what moves there is too small to be followed."""


def picture_shake(frames: UInt8[Tensor, "n h w 3"], seconds: Float[Tensor, " n"]) -> float:
    """Root mean square of the high-passed shift of the picture's middle, pixels.

    Corners are followed from frame to frame, and a shift, turn and scale fitted to most of them.

    Args:
        frames: The video.
        seconds: When.
    """
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames.numpy()]
    steps = torch.tensor(np.array([_shift(before, after) for before, after in pairwise(greys)]))
    return rms_of_high_pass(torch.cat([torch.zeros(1, 2), steps]).double().cumsum(dim=0), seconds)


def _shift(before: UInt8[np.ndarray, "h w"], after: UInt8[np.ndarray, "h w"]) -> Float64[np.ndarray, "2"]:
    corners = cv2.goodFeaturesToTrack(before, 400, 0.01, 6)
    middle = np.array([before.shape[1] / 2, before.shape[0] / 2])
    if corners is None or len(corners) < 4:
        return np.zeros(2)
    followed, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, np.zeros_like(corners))
    kept = found[:, 0] > 0
    fitted = cv2.estimateAffinePartial2D(corners[kept], followed[kept], ransacReprojThreshold=1.5)[0]
    return np.zeros(2) if fitted is None else fitted[:, :2] @ middle + fitted[:, 2] - middle


def wobble(
    frames: UInt8[Tensor, "n h w 3"],
    truth: UInt8[Tensor, "n h w 3"],
    masks: Bool[Tensor, "n h w"],
    seconds: Float[Tensor, " n"],
) -> float:
    """Root mean square of the high-passed displacement of a region against the truth, pixels; NaN where there is none.

    Args:
        frames: The video.
        truth: What it should show.
        masks: The region in every true frame; its median displacement counts.
        seconds: When.
    """
    shifts, times = [], []
    for frame, true, mask, time in zip(frames.numpy(), truth.numpy(), masks.numpy(), seconds.tolist(), strict=True):
        if mask.sum() < FEWEST:
            continue
        flow = dis_flow(*(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (true, frame)))
        shifts.append(np.median(flow[mask], axis=0))
        times.append(time)
    if len(shifts) < 3:
        return math.nan
    return rms_of_high_pass(torch.tensor(np.array(shifts)).double(), torch.tensor(times, dtype=torch.float64))


def rms_of_high_pass(places: Float64[Tensor, "n 2"], seconds: Float[Tensor, " n"]) -> float:
    """What the low-pass that shake is told by takes away of a point's path."""
    flat = torch.cat([places, torch.zeros_like(places[:, :1])], dim=-1)
    path = assemble(torch.eye(3, dtype=torch.float64).expand(len(places), 3, 3), flat)
    return float((path - stabilise(path, SECONDS, seconds))[:, :3, 3].square().sum(dim=-1).mean().sqrt())
