"""Motion blur against what closed forms and many drawn moments say."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import Tensor

from neoverse_ns.clip.synthetic.worlds import WorldCamera
from neoverse_ns.clip.wear.apply import wear_inputs
from neoverse_ns.clip.wear.blur import motion_blur
from neoverse_ns.clip.wear.draw import WearDraw
from neoverse_ns.clip.wear.light import to_light
from neoverse_ns.geometry.projection import pixel_centres, project, unproject
from neoverse_ns.training.data.sets.world_clip import WorldClip
from neoverse_ns.training.data.wear.apply import wear_sample
from neoverse_ns.training.data.wear.flow import keyframe_flow
from tests.training.data.wear.world_samples import sample_of


def test_an_edge_becomes_a_ramp_as_long_as_its_way() -> None:
    light = torch.zeros(1, 3, 12, 40)
    light[..., 20:] = 0.8
    flow = torch.zeros(1, 12, 40, 2)
    flow[..., 0] = 16.0
    blurred = motion_blur(light, flow, shutter=0.5)
    # The box of 8 pixels around the edge at x = 20, averaged over each pixel's own width.
    x = torch.arange(40) + 0.5
    expected = 0.8 * ((x - 16) / 8).clamp(0, 1)
    assert (blurred[0, :, :, 4:-4] - expected[4:-4]).abs().max() < 0.08
    assert (blurred[0, :, :, 4:-4].mean() - expected[4:-4].mean()).abs() < 1e-3
    assert (blurred[0] - blurred[0, :1, :1]).abs().max() == 0  # Nothing happens across the motion.


def test_what_moves_smears_over_what_stands_and_not_the_other_way_round() -> None:
    light, depth, flow = torch.full((1, 3, 24, 48), 0.2), torch.full((1, 24, 48), 4.0), torch.zeros(1, 24, 48, 2)
    light[:, :, 8:16, 18:30], depth[:, 8:16, 18:30], flow[:, 8:16, 18:30, 0] = 0.9, 2.0, 8.0
    blurred = motion_blur(light, flow, 1.0, depth)[0, 0]
    x = torch.arange(48) + 0.5
    covered = (((x - 14) / 8).clamp(0, 1) - ((x - 26) / 8).clamp(0, 1)).clamp(0, 1)
    assert (blurred[10] - (0.2 + 0.7 * covered)).abs().max() < 0.1
    assert blurred[10, 22:26].min() > 0.88  # The middle of the thing is covered all the time.
    assert (blurred[:7] - 0.2).abs().max() < 1e-6
    assert (blurred[:, :13] - 0.2).abs().max() < 1e-6


def test_what_does_not_move_stays() -> None:
    light = torch.rand(2, 3, 10, 14, generator=torch.Generator().manual_seed(0))
    assert torch.equal(motion_blur(light, torch.zeros(2, 10, 14, 2), 1.0), light)
    assert torch.equal(wear_inputs(light, WearDraw(shutter=1.0, shake=(0.0, 0.0))), light) is False  # Through light.
    assert torch.allclose(wear_inputs(light, WearDraw(shutter=1.0)), light, atol=1e-5)


def exact_flow(clip: WorldClip, index: int, other: int) -> Tensor:
    frame, later = clip.frame(index), clip.frame(other)
    assert frame.depth is not None
    assert frame.c2w is not None
    assert later.c2w is not None
    points = unproject(frame.depth.double(), frame.K, frame.c2w) + clip.displacement(index, other).world
    seen, _ = project(points.view(-1, 3), torch.linalg.inv(later.c2w), later.K)
    return seen.view(*frame.depth.shape, 2) - pixel_centres(frame.depth.shape[0], frame.depth.shape[1], torch.float64)


@pytest.mark.parametrize("seed", [0, 10])
def test_flow_of_a_sample_is_that_of_the_world(seed: int) -> None:
    clip = WorldClip(seed, 98, 56)
    known = clip.frame(8).depth, clip.frame(10).depth
    assert known[0] is not None
    assert known[1] is not None
    flow = keyframe_flow(sample_of(clip, (8, 10)))
    assert (flow[0] - exact_flow(clip, 8, 10) / 2)[known[0] > 0].abs().max() < 0.01
    assert (flow[1] + exact_flow(clip, 10, 8) / 2)[known[1] > 0].abs().max() < 0.01


@pytest.mark.parametrize("seed", [8, 10])
def test_blur_is_near_to_the_light_of_many_moments(seed: int) -> None:
    """What a camera would gather, drawn at times between the frames."""
    clip, shutter = WorldClip(seed, 98, 56), 4.0
    index, step = 12, 1 / 32
    gathered = []
    for share in (np.arange(17) + 0.5) / 17 - 0.5:
        times = np.array([clip.times[index] + share * shutter * step])
        K = clip.world.intrinsics(98, 56)
        camera = WorldCamera(clip.world, clip.world.poses(times)[0], clip.world.camera(times)[0], K, 98, 56)
        gathered.append(to_light(camera.colour(camera.view()).permute(2, 0, 1).float() / 255))
    expected = torch.stack(gathered).mean(0)
    sample = sample_of(clip, (index, index + 2))
    blurred = to_light(wear_sample(sample, WearDraw(shutter=shutter)).inputs[0])
    sharp = to_light(sample.inputs[0])
    inner = (slice(None), slice(6, -6), slice(6, -6))
    before, after = (sharp - expected)[inner].square().mean(), (blurred - expected)[inner].square().mean()
    assert after < 0.4 * before


def test_only_the_inputs_are_worn() -> None:
    sample = sample_of(WorldClip(0, 49, 28), (4, 8, 12))
    worn = wear_sample(sample, WearDraw(shutter=1.0, scale=0.5, stops=0.3, electrons=500.0, quality=30))
    assert worn.inputs.shape == sample.inputs.shape
    assert (worn.inputs - sample.inputs).abs().mean() > 0.01
    assert all(getattr(worn, f.name) is getattr(sample, f.name) for f in fields(sample) if f.name != "inputs")
    assert wear_sample(sample, WearDraw()) is sample
