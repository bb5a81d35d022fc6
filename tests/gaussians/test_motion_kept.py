"""What is drawn of Gaussians whose motion was taken away, against closed forms."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.gaussians.motion_kept import keep_motion
from neoverse_ns.gaussians.transition import alive_at, at_time, fade
from neoverse_ns.geometry import quaternions
from tests.gaussians.scenes import random_gaussians


def test_both_changes_nothing() -> None:
    gaussians = random_gaussians()
    assert keep_motion(gaussians, "both") is gaussians


@pytest.mark.parametrize(("time", "keyframe"), [(0.0, 0), (0.3, 0), (0.499, 0), (0.5, 1), (0.75, 1), (1.0, 2)])
def test_forward_draws_the_earlier_keyframe_alone_moved_forward(time: float, keyframe: int) -> None:
    gaussians = random_gaussians()
    kept = keep_motion(gaussians, "forward")
    alive = alive_at(kept, time)
    assert torch.equal(alive, (gaussians.keyframe == keyframe) | ~gaussians.dynamic)
    distance = (time - keyframe / 2) / 0.5
    # Row by row, and by runs where no gradients are wanted.
    for now in (at_time(kept.with_(means=kept.means.clone().requires_grad_()), time), at_time(kept, time)):
        moving = gaussians.dynamic[now.index]
        rows = now.index[moving]
        expected = gaussians.means[rows] + distance * gaussians.velocities[rows, 0]
        torch.testing.assert_close(now.means[moving].detach(), expected)
        turned = quaternions.multiply(
            gaussians.quats[rows], quaternions.from_axis_angle(distance * gaussians.angular_velocities[rows, 0])
        )
        torch.testing.assert_close(now.quats[moving].detach(), turned)
        left = fade(gaussians.life_spans[rows], torch.full((len(rows),), distance))
        torch.testing.assert_close(now.opacities[moving].detach(), gaussians.opacities[rows] * left)


def test_before_the_first_keyframe_it_stands_still() -> None:
    gaussians = random_gaussians()
    now = at_time(keep_motion(gaussians, "forward"), -0.2)
    moving = gaussians.dynamic[now.index]
    rows = now.index[moving]
    assert set(gaussians.keyframe[rows].tolist()) == {0}
    assert torch.equal(now.means[moving], gaussians.means[rows])


def test_none_draws_both_keyframes_where_they_were() -> None:
    gaussians = random_gaussians()
    kept = keep_motion(gaussians, "none")
    assert torch.equal(alive_at(kept, 0.3), alive_at(gaussians, 0.3))
    now = at_time(kept, 0.3)
    assert torch.equal(now.means, gaussians.means[now.index])
    torch.testing.assert_close(now.quats, gaussians.quats[now.index])
    assert torch.equal(now.opacities, at_time(gaussians, 0.3).opacities)
