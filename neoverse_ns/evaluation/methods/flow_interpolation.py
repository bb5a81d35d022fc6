"""Optical flow between neighbouring inputs, and the frames between them that it gives: no scene, no cameras."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from neoverse_ns.errors import ReconstructionError
from neoverse_ns.evaluation.judges.views.task import Answer, Shown, Target, ViewMethod, ViewTask
from neoverse_ns.evaluation.methods.repeat import resized
from neoverse_ns.evaluation.methods.seeds import UNUSED_SEED

CONSISTENCY = 1.5
"""Disagreement in pixels of forward and backward flow at which confidence has fallen to 1/e."""

Image = UInt8[np.ndarray, "h w 3"]
Flow = Float32[np.ndarray, "h w 2"]


class FlowInterpolation(ViewMethod):
    """Shows what lies between the inputs before and after; for targets that the input camera took on its way."""

    name, solver = "flow", "none"

    def answer(self, task: ViewTask) -> Answer:
        """See :class:`ViewMethod`.

        Raises:
            ReconstructionError: A target was taken by another camera, or before or after all inputs.
        """
        times, own = task.clip.times.double(), set(task.input_cameras)
        for target in task.targets:
            if target.camera not in own:
                raise ReconstructionError(
                    f"not applicable: {target.name} was taken by another camera, and flow stays on the inputs' way"
                )
            if not float(times[0]) <= target.time <= float(times[-1]):
                raise ReconstructionError(f"not applicable: {target.name} lies before or after all inputs")
        return Answer(self._views(task), report={"seed": UNUSED_SEED})

    def _views(self, task: ViewTask) -> Iterator[Shown]:
        for target in task.targets:
            yield Shown(target.name, resized(torch.from_numpy(_between(task, target)), target))


def _between(task: ViewTask, target: Target) -> Image:
    times, frames = task.clip.times.double(), task.clip.frames
    if len(times) == 1:
        return frames[0].numpy()
    after = int(torch.searchsorted(times, target.time).clamp(1, len(times) - 1))
    span = times[after] - times[after - 1]
    share = float((target.time - times[after - 1]) / span)
    return interpolate_along_flow(frames[after - 1].numpy(), frames[after].numpy(), share)


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
