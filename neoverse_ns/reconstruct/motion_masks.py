"""Moving pixels of any frame, carried over from the keyframes beside it."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct.base import SceneGeometry


def moving_pixels(clip: Clip, geometry: SceneGeometry, frame: int) -> Bool[Tensor, "h w"]:
    """Pixels of sampled frame `frame` that moved in the keyframe before or after it, followed by optical flow.

    Reads the frame's own pixels, so for a held-out frame the result may only serve to measure, never to train.
    """
    keyframes = geometry.keyframes
    before = max((k for k in keyframes if k <= frame), default=keyframes[0])
    after = min((k for k in keyframes if k >= frame), default=keyframes[-1])
    here = cv2.cvtColor(clip.frames[frame].numpy(), cv2.COLOR_RGB2GRAY)
    rows, columns = np.mgrid[: clip.height, : clip.width].astype(np.float32)
    still = np.zeros((clip.height, clip.width, 2), np.float32)
    result = np.zeros((clip.height, clip.width), bool)
    for neighbour in {before, after}:
        mask = geometry.dynamic[keyframes.index(neighbour)].numpy().astype(np.uint8)
        if neighbour != frame:
            there = cv2.cvtColor(clip.frames[neighbour].numpy(), cv2.COLOR_RGB2GRAY)
            flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(here, there, still)
            mask = cv2.remap(mask, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_NEAREST)
        result |= mask > 0
    moving = torch.from_numpy(result)
    return moving if clip.ignored is None else moving & ~clip.ignored[frame]
