"""Gaussians moved, turned, scaled and recoloured: against the transform of every point at every time."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.applications.edit.operations import (
    brightness_of,
    joined,
    placed,
    recoloured,
    rotation_of,
    tint,
    without,
)
from neoverse_ns.applications.edit.pivot import Pivot, pivot_of
from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry import quaternions


def cloud(bands: int = 1) -> LayeredGaussians:
    """Random Gaussians of three keyframes that move straight on, as a body."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    step, start, count, parts = torch.tensor([0.4, 0.1, -0.2], dtype=torch.float64), random(40, 3), 40, []
    for number, at in enumerate((0.0, 0.5, 1.0)):
        ways = torch.stack([step, -step]).expand(count, 2, 3)
        parts.append(
            DynamicGaussians(
                means=start + number * step,
                quats=random(count, 4),
                log_scales=random(count, 3) - 3,
                opacity_logits=random(count),
                sh=random(count, bands, 3) * 0.3,
                keyframe=torch.full((count,), number),
                interval=torch.tensor([at - 0.5, at, at + 0.5], dtype=torch.float64).expand(count, 3).clone(),
                velocities=ways.clone(),
                angular_velocities=random(count, 2, 3) * 0.1,
                life_span_logits=random(count),
                dynamic=torch.ones(count, dtype=torch.bool),
            )
        )
    return LayeredGaussians({FRAMES: concatenate(parts)})


def test_the_pivot_follows_the_thing() -> None:
    scene = cloud()
    pivot = pivot_of(scene, {FRAMES: torch.ones(120, dtype=torch.bool)})
    assert pivot.times.tolist() == [0.0, 0.5, 1.0]
    steps = pivot.points.diff(dim=0)
    torch.testing.assert_close(steps, torch.tensor([[0.4, 0.1, -0.2]] * 2, dtype=torch.float64))
    quarter = pivot.at(torch.tensor([0.25, 2.0]))
    torch.testing.assert_close(quarter[0], pivot.points[:2].mean(dim=0))
    torch.testing.assert_close(quarter[1], pivot.points[2])


def test_the_pivot_does_not_jump_where_half_of_the_thing_is_hidden() -> None:
    scene = cloud()
    seen = torch.ones(120, dtype=torch.bool)
    # In the second keyframe only what lies on one side is seen.
    seen[40:80] = scene.frames.means[40:80, 0] > scene.frames.means[40:80, 0].median()
    steps = pivot_of(scene, {FRAMES: seen}).points.diff(dim=0)
    torch.testing.assert_close(steps, torch.tensor([[0.4, 0.1, -0.2]] * 2, dtype=torch.float64))


def test_nothing_selected_has_no_pivot() -> None:
    with pytest.raises(SettingsError, match="nothing is selected"):
        pivot_of(cloud(), {FRAMES: torch.zeros(120, dtype=torch.bool)})


@pytest.mark.parametrize("time", [0.0, 0.2, 0.5, 0.9])
def test_placing_is_exact_at_every_time(time: float) -> None:
    scene = cloud()
    pivot = pivot_of(scene, {FRAMES: torch.ones(120, dtype=torch.bool)})
    R, scale, offset = rotation_of((10.0, 40.0, -20.0)), 1.3, torch.tensor([0.3, -0.1, 0.2], dtype=torch.float64)
    after = at_time(placed(scene, pivot, offset, R, scale).frames, time)
    before = at_time(scene.frames, time)
    c = pivot.at(torch.tensor([time]))[0]
    torch.testing.assert_close(after.means, scale * (before.means - c) @ R.T + c + offset)
    torch.testing.assert_close(after.scales, scale * before.scales)
    turned = R @ quaternions.to_matrix(quaternions.normalize(before.quats))
    torch.testing.assert_close(quaternions.to_matrix(quaternions.normalize(after.quats)), turned)


def test_about_one_point_the_way_is_scaled_too() -> None:
    scene = cloud()
    pivot = pivot_of(scene, {FRAMES: torch.ones(120, dtype=torch.bool)}).middle
    assert len(pivot.times) == 1
    doubled = placed(scene, pivot, scale=2.0).frames
    torch.testing.assert_close(doubled.velocities, 2 * scene.frames.velocities)


def test_colours_that_depend_on_the_view_can_be_moved_but_not_turned() -> None:
    scene = cloud(bands=4)
    pivot = Pivot(torch.zeros(1, dtype=torch.float64), torch.zeros(1, 3, dtype=torch.float64))
    moved = placed(scene, pivot, torch.ones(3, dtype=torch.float64))
    assert torch.equal(moved.frames.sh, scene.frames.sh)
    with pytest.raises(SettingsError, match="cannot be turned"):
        placed(scene, pivot, rotation=rotation_of((0.0, 10.0, 0.0)))


def test_turns_follow_the_first_cameras_axes() -> None:
    ahead = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    right = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(rotation_of((0.0, 90.0, 0.0)) @ ahead, right)


def test_recolouring_keeps_how_bright_each_part_is() -> None:
    scene = cloud()
    colour = torch.tensor([0.2, 0.4, 0.1])
    changed = recoloured(scene, tint(colour, 0.5))
    before = 0.5 + SH_C0 * scene.frames.sh[:, 0]
    after = 0.5 + SH_C0 * changed.frames.sh[:, 0]
    luma = before @ torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
    torch.testing.assert_close(after, luma[:, None] / 0.5 * colour.double())


def test_brightness_is_weighted_by_what_is_covered() -> None:
    scene = cloud()[FRAMES][:2]
    large = scene.log_scales.clone()
    large[0] += 20
    grey = torch.tensor([[[0.2] * 3], [[-1.0] * 3]], dtype=torch.float64)
    both = LayeredGaussians({FRAMES: scene.with_(log_scales=large, sh=grey)})
    assert brightness_of(both) == pytest.approx(0.5 + SH_C0 * 0.2, abs=1e-3)


def test_rows_go_and_come() -> None:
    scene = cloud()
    rows = {FRAMES: torch.arange(120) % 3 == 0}
    less = without(scene, rows)
    assert torch.equal(less.frames.means, scene.frames.means[~rows[FRAMES]])
    assert joined(less, scene).frames.means.shape == (80 + 120, 3)
