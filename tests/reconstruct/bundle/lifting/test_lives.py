"""Between which keyframes pixels live, and how long guesses do."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.lifetimes import lifetime_runs
from neoverse_ns.gaussians.transition import alive_at
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig, lift
from neoverse_ns.reconstruct.bundle.lifting.lives import BESIDE, SHORTER, Flows, beside_motion, lives_between
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow
from neoverse_ns.reconstruct.bundle.lifting.scene_layers import scene_layers
from tests.reconstruct.small_scene import small_scene

H, W = 32, 48
BLOCK = (slice(12, 16), slice(20, 24))
CONFIG = LiftConfig(sharpening=0, background=False, far_field=False)


def everything(trust: float = 1.0) -> tuple[Clip, SceneGeometry, Flows, list[int]]:
    """A grey wall before cameras that stand still, a block of which moves by a pixel a frame to the right, in all five
    frames; every second one is a whole keyframe."""
    scene = small_scene(count=5, width=W, height=H, image=torch.full((H, W, 3), 120, dtype=torch.uint8), step=0.0)
    frames, shape = [0, 1, 2, 3, 4], (5, H, W)
    dynamic = torch.zeros(shape, dtype=torch.bool)
    pixels = scene.clip.frames.clone()
    for frame in frames:
        block = (frame, BLOCK[0], slice(BLOCK[1].start + frame, BLOCK[1].stop + frame))
        dynamic[block], pixels[block] = True, 200
    geometry = dataclasses.replace(
        scene.geometry,
        keyframes=frames,
        depth=torch.ones(shape),
        confidence=torch.ones(shape),
        dynamic=dynamic,
        things=dynamic.int(),
    )
    flows = {}
    for i in frames:
        for j in frames:
            flow = torch.zeros(H, W, 2)
            flow[dynamic[i]] = torch.tensor([float(j - i), 0.0])
            flows[i, j] = KeyframeFlow(flow, torch.where(dynamic[i], trust, 1.0))
    return dataclasses.replace(scene.clip, frames=pixels), geometry, flows, [0, 2, 4]


def test_what_rests_lives_between_whole_keyframes_and_what_moves_between_all() -> None:
    clip, geometry, flows, whole = everything()
    lifted = lift(clip, geometry, flows, CONFIG, whole)
    times = clip.times
    near = [beside_motion(mask) for mask in geometry.dynamic]
    assert lifted.pixels[[0, 2, 4]].all()
    assert torch.equal(lifted.pixels[1], near[1])
    assert torch.equal(lifted.pixels[3], near[3])
    gaussians = lifted.gaussians
    moving, resting = gaussians[lifted.rows(2, near[2])], gaussians[lifted.rows(2, ~near[2])]
    torch.testing.assert_close(moving.interval, times[[1, 2, 3]].expand(len(moving), 3))
    torch.testing.assert_close(resting.interval, times[[0, 2, 4]].expand(len(resting), 3))
    between = gaussians[lifted.rows(1, near[1])]
    torch.testing.assert_close(between.interval, times[[0, 1, 2]].expand(len(between), 3))
    # The block goes a pixel a frame, whichever frames it lives between.
    block = gaussians[lifted.rows(2, geometry.dynamic[2])]
    step = 1 / float(geometry.cameras.K[0, 0, 0])
    torch.testing.assert_close(block.velocities[:, 0, 0], torch.full((16,), step), rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(block.velocities[:, 1, 0], torch.full((16,), -step), rtol=1e-3, atol=1e-6)


def test_at_any_time_the_block_is_there_in_one_place() -> None:
    clip, geometry, flows, whole = everything()
    gaussians = lift(clip, geometry, flows, CONFIG, whole).gaussians
    bright = gaussians.sh[:, 0, 0] > 0
    for frame in range(5):
        alive = alive_at(gaussians, float(clip.times[frame])) & bright
        assert gaussians.keyframe[alive].tolist() == [frame] * 16


@pytest.mark.parametrize("shown", [200, 120])
def test_a_guess_that_the_next_keyframe_contradicts_lives_less_long(shown: int) -> None:
    clip, geometry, flows, _ = everything(trust=0.0)
    # Where the block would rest the next keyframe shows `shown`.
    frames = clip.frames.clone()
    frames[3] = shown
    clip = dataclasses.replace(clip, frames=frames)
    points = torch.ones(H, W, 3)
    points[..., :2] = (
        torch.stack(torch.meshgrid(torch.arange(W) + 0.5, torch.arange(H) + 0.5, indexing="xy"), -1)
        - geometry.cameras.K[0, :2, 2]
    ) / geometry.cameras.K[0, 0, 0]
    lives = lives_between(clip, geometry, 2, points, flows, range(5), 0.2)
    moving, times = geometry.dynamic[2], clip.times
    assert torch.equal(lives.lost, moving)
    end = times[3] if shown == 200 else times[2] + SHORTER * (times[3] - times[2])
    inner = torch.zeros_like(moving)
    inner[BLOCK[0].start + 1 : BLOCK[0].stop - 1, BLOCK[1].start + 3 : BLOCK[1].stop + 1] = True
    torch.testing.assert_close(lives.interval[..., 2][inner & moving], end.expand(int((inner & moving).sum())))
    torch.testing.assert_close(lives.interval[..., 2][~moving], times[3].expand(int((~moving).sum())))


@pytest.mark.parametrize("times", [1, 2])
def test_beside_motion_reaches_as_far_as_it_says(times: int) -> None:
    moving = torch.zeros(64, 384 * times, dtype=torch.bool)
    moving[32, 60] = True
    rows, columns = beside_motion(moving).nonzero(as_tuple=True)
    reach = BESIDE * times
    assert (int(rows.min()), int(rows.max())) == (32 - reach, 32 + reach)
    assert (int(columns.min()), int(columns.max())) == (60 - reach, 60 + reach)


def test_layers_keep_lifetimes_in_few_runs_and_keyframes_in_order() -> None:
    clip, geometry, flows, whole = everything()
    frames = scene_layers(clip, geometry, flows, CONFIG, whole).frames
    assert torch.equal(frames.keyframe, frames.keyframe.sort().values)
    # A few for each keyframe: what is constant, what moves, what rests.
    assert len(lifetime_runs(frames.interval, frames.dynamic).dynamic) <= 3 * len(geometry.keyframes)
