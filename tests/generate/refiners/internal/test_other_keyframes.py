"""A frame without what it gave: who stands in, and where they are."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.generate.refiners.internal.other_keyframes import without_own
from neoverse_ns.generate.source_scene import SourceScene
from tests.generate.layered import layered_source


def moving() -> SourceScene:
    """Five frames, three keyframes; everything moves to the right by 0.1 from keyframe to keyframe."""
    source = layered_source(5)
    frames = source.gaussians.frames
    velocities = torch.zeros(len(frames), 2, 3)
    velocities[:, 0, 0], velocities[:, 1, 0] = 0.1, -0.1
    gaussians = LayeredGaussians({FRAMES: frames.with_(velocities=velocities)})
    return SourceScene(source.frames, source.cameras, source.times, source.keyframes, gaussians)


def test_neighbours_stand_in_where_they_have_moved_to() -> None:
    source = moving()
    own = source.gaussians.frames
    left = without_own(source, 2).frames
    assert set(left.keyframe.tolist()) == {0, 2}
    now = at_time(left, 0.5)
    assert len(now.index) == len(left)
    shift = torch.where(left.keyframe == 0, 0.1, -0.1)
    torch.testing.assert_close(now.means[:, 0], left.means[:, 0] + shift)
    torch.testing.assert_close(now.means[:, 1:], left.means[:, 1:])
    # They fade as half way between two keyframes: as they are there themselves.
    there = at_time(own, 0.25)
    expected = there.opacities[own.keyframe[there.index] == 0]
    torch.testing.assert_close(now.opacities[left.keyframe == 0], expected)


def test_ends_have_one_neighbour_and_others_live_as_before() -> None:
    source = moving()
    left = without_own(source, 0).frames
    assert set(left.keyframe.tolist()) == {1, 2}
    now = at_time(left, 0.0)
    assert set(left.keyframe[now.index].tolist()) == {1}
    last = left.keyframe == 2
    own = source.gaussians.frames
    assert torch.equal(left.interval[last], own.interval[own.keyframe == 2])
    assert torch.equal(left.velocities[last], own.velocities[own.keyframe == 2])


def test_a_frame_that_gave_nothing_is_drawn_from_all() -> None:
    source = moving()
    assert without_own(source, 1) is source.gaussians
