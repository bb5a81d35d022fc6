"""Samples whose inputs are worn."""

from __future__ import annotations

from dataclasses import replace

from neoverse_ns.clip.wear.apply import wear_inputs
from neoverse_ns.clip.wear.draw import WearDraw
from neoverse_ns.training.data.sample import TrainingSample
from neoverse_ns.training.data.wear.flow import keyframe_flow


def wear_sample(sample: TrainingSample, draw: WearDraw) -> TrainingSample:
    """The sample with worn inputs, blurred along its true motion; everything it is compared with stays clean."""
    if draw.nothing:
        return sample
    count = len(sample.inputs)
    flow = keyframe_flow(sample) if draw.blurs and bool(sample.has_pose) and bool(sample.has_depth) else None
    depth = sample.depth[:count] if flow is not None else None
    return replace(sample, inputs=wear_inputs(sample.inputs, draw, sample.times[:count], flow, depth))
