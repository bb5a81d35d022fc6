"""From predictions to Gaussians, against loops over single Gaussians and closed forms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.networks.neoverse.pixel_splats import pixel_splats, unproject_integer_pixels
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.networks.neoverse.splat_settings import SplatSettings
from neoverse_ns.networks.neoverse.splats import keyframe_splats
from neoverse_ns.networks.neoverse.static_splats import constant_splats
from neoverse_ns.networks.neoverse.voxel_merging import voxel_groups, weighted_means
from neoverse_ns.reconstruct.feedforward.lift import keyframe_intervals, to_dynamic_gaussians
from tests.networks.neoverse.fixtures import frames, lively

HEIGHT, WIDTH = 28, 42


def predicted(images: torch.Tensor, **options: bool) -> NetworkPredictions:
    with torch.no_grad():
        return lively()(images, **options)


def times(count: int, batch: int = 1) -> torch.Tensor:
    return torch.arange(count).square().expand(batch, count)


def test_centres_lie_on_rays_through_integer_pixels() -> None:
    K = torch.tensor([[30.0, 0, 21], [0, 31, 14], [0, 0, 1]])
    depth = 1 + torch.rand(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    points = unproject_integer_pixels(depth, K, torch.eye(4))
    for v, u in ((0, 0), (5, 9), (27, 41)):
        z = float(depth[v, u])
        assert points[v, u].tolist() == pytest.approx([(u - 21) / 30 * z, (v - 14) / 31 * z, z], rel=1e-5)
    assert K[0, 2] == 21


def test_activations_colours_and_axes() -> None:
    images = frames(2)
    predictions = predicted(images)
    assert predictions.gs_params is not None
    assert predictions.velocity_fwd is not None
    params = predictions.gs_params[0, 0].clone()
    params[3, 4, 4:7] = 5  # exp(5) is far above the largest scale
    predictions.gs_params[0, 0] = params
    first, last = keyframe_splats(predictions, images, times(2))[0]
    row, pixel = 3 * WIDTH + 4, params[3, 4]
    assert first.scales[row].tolist() == pytest.approx([0.3] * 3)
    quaternion = pixel[:4] / pixel[:4].norm()
    torch.testing.assert_close(first.rotations[row], quaternion)
    torch.testing.assert_close(first.opacities[row], pixel[7].sigmoid())
    colour = (images[0, 0, :, 3, 4] - 0.5) / SH_C0 + pixel[8:11]
    torch.testing.assert_close(first.harmonics[row, 0], colour)
    assert isinstance(first.life_span, torch.Tensor)
    torch.testing.assert_close(first.life_span[row], pixel[11].sigmoid())
    turned = predictions.c2w[0, 0, :3, :3] @ predictions.velocity_fwd[0, 0, 3, 4]
    assert first.forward_vel is not None
    torch.testing.assert_close(first.forward_vel[row], turned)
    assert first.backward_vel is None
    assert last.forward_vel is None
    assert (first.timestamp, first.forward_timestamp, last.backward_timestamp) == (0, 1, 0)


def test_clips_of_a_batch_are_apart() -> None:
    images = frames(2, batch=2)
    predictions = predicted(images)
    both = keyframe_splats(predictions, images, torch.tensor([[0, 3], [5, 6]]))
    assert [[part.timestamp for part in clip] for clip in both] == [[0, 3], [5, 6]]
    torch.testing.assert_close(both[1][0].harmonics, pixel_splats(predictions, images, 1).sh[0])


def test_slow_gaussians_become_constant_and_come_last() -> None:
    images = frames(3)
    predictions = predicted(images)
    speeds = pixel_splats(predictions, images, 0).speeds()
    assert speeds is not None
    assert predictions.velocity_fwd is not None
    assert predictions.velocity_bwd is not None
    middle = torch.maximum(predictions.velocity_fwd[0, 1].norm(dim=-1), predictions.velocity_bwd[0, 0].norm(dim=-1))
    torch.testing.assert_close(speeds[1], middle.flatten())
    threshold = float(speeds.quantile(0.4))
    parts = keyframe_splats(predictions, images, times(3), settings=SplatSettings(dynamic_threshold=threshold))[0]
    *moving, constant = parts
    assert constant.is_constant
    assert constant.timestamp == -1
    assert constant.life_span == 1.0
    assert len(constant) == int((speeds < threshold).sum())
    assert sum(map(len, parts)) == speeds.numel()
    assert [part.timestamp for part in moving] == [0, 1, 4]
    gaussians = to_dynamic_gaussians(parts, times(3)[0])
    assert int(gaussians.dynamic.sum()) == int((speeds >= threshold).sum())
    now = at_time(gaussians, 0.6)
    drawn_constant = now.means[~gaussians.dynamic[now.index]]
    torch.testing.assert_close(drawn_constant, constant.means)


def test_zero_threshold_leaves_none_constant_and_a_huge_one_none_moving() -> None:
    images = frames(2)
    predictions = predicted(images)
    assert not any(part.is_constant for part in keyframe_splats(predictions, images, times(2))[0])
    (only,) = keyframe_splats(predictions, images, times(2), settings=SplatSettings(dynamic_threshold=1e9))[0]
    assert only.is_constant
    assert only.keyframe.unique().tolist() == [0, 1]


def tracked_by_hand(
    means: torch.Tensor,
    speeds: torch.Tensor,
    depth: torch.Tensor,
    c2w: torch.Tensor,
    K: torch.Tensor,
    settings: SplatSettings,
) -> np.ndarray:
    """One Gaussian and one frame at a time."""
    count, height, width = depth.shape
    result = np.zeros(means.shape[:2], dtype=bool)
    views = torch.linalg.inv(c2w)
    for s, n in (speeds < settings.dynamic_threshold).nonzero().tolist():
        fastest = float(speeds[s, n])
        for frame in range(count):
            point = (views[frame, :3, :3] @ means[s, n] + views[frame, :3, 3]).tolist()
            if point[2] <= 1e-8:
                continue
            u = float(K[frame, 0, 0]) * point[0] / point[2] + float(K[frame, 0, 2])
            v = float(K[frame, 1, 1]) * point[1] / point[2] + float(K[frame, 1, 2])
            if not (0 <= u < width and 0 <= v < height):
                continue
            column, row = min(round(u), width - 1), min(round(v), height - 1)
            if point[2] <= float(depth[frame, row, column]) + settings.occlusion_tolerance:
                fastest = max(fastest, float(speeds[frame, row * width + column]))
        result[s, n] = fastest < settings.tracked_threshold
    return result


def test_tracking_is_the_loop_over_gaussians_and_frames() -> None:
    random = torch.Generator().manual_seed(1)
    depth = (1.5 + torch.rand(3, 6, 8, generator=random)).double()
    c2w = torch.eye(4, dtype=torch.float64).repeat(3, 1, 1)
    c2w[1, 0, 3], c2w[2, 2, 3] = 0.3, 4.0  # to the side; past most of the points
    K = torch.tensor([[7.0, 0, 4], [0, 7, 3], [0, 0, 1]], dtype=torch.float64).repeat(3, 1, 1)
    means = unproject_integer_pixels(depth, K, c2w).flatten(1, 2)
    speeds = torch.rand(3, 48, generator=random).double()
    settings = SplatSettings(dynamic_threshold=0.6, track_motion=True, tracked_threshold=0.8)
    mine = constant_splats(means, speeds, depth, c2w, K, settings)
    expected = tracked_by_hand(means, speeds, depth, c2w, K, settings)
    assert 0 < expected.sum() < int((speeds < 0.6).sum())
    np.testing.assert_array_equal(mine.numpy(), expected)
    # Whoever is slow anywhere it is seen must be slow where it comes from.
    untracked = constant_splats(means, speeds, depth, c2w, K, replace(settings, track_motion=False))
    assert bool((untracked | ~mine).all())


def test_voxels_are_those_of_a_dictionary() -> None:
    random = torch.Generator().manual_seed(0)
    points = 0.02 * torch.randn(500, 3, generator=random)
    values, weights = torch.randn(500, 4, generator=random), torch.rand(500, generator=random)
    group, count = voxel_groups(points, 0.01)
    merged = weighted_means(values, weights, group, count)
    rows = defaultdict(list)
    for number, point in enumerate(points.numpy()):
        rows[tuple(np.floor(point / np.float32(0.01)).astype(int))].append(number)
    assert len(rows) == count
    assert count < 400
    for place, cell in enumerate(sorted(rows)):
        members = rows[cell]
        w = weights[members].double().numpy()
        expected = (values[members].double().numpy() * w[:, None]).sum(0) / w.sum()
        np.testing.assert_allclose(merged[place], expected, atol=2e-6)


def test_voxels_of_a_huge_scene_do_not_overflow() -> None:
    points = torch.tensor([[-1e5, 0, 0], [1e5, 1e5, 1e5], [-1e5, 0, 0], [0, -1e5, 3]])
    group, count = voxel_groups(points, 1e-3)
    assert (count, group.tolist()) == (3, [0, 2, 0, 1])
    group, count = voxel_groups(points, 1.0)
    assert (count, group.tolist()) == (3, [0, 2, 0, 1])


def test_static_clip_merges_what_shares_a_voxel() -> None:
    images = frames(1).repeat(1, 2, 1, 1, 1)
    predictions = predicted(images, is_static=True)
    # Two identical frames from one camera: every Gaussian meets its twin.
    twins = NetworkPredictions(
        **{n: v[:, :1].repeat(1, 2, *[1] * (v.ndim - 2)) for n, v in predictions.tensors().items() if "wd" not in n}
    )
    (part,) = keyframe_splats(twins, images, torch.zeros(1, 2, dtype=torch.int64), is_static=True)[0]
    (single,) = keyframe_splats(
        twins, images, torch.zeros(1, 2, dtype=torch.int64), True, SplatSettings(voxel_size=1e-6)
    )[0]
    assert len(part) <= HEIGHT * WIDTH
    assert len(single) == HEIGHT * WIDTH
    own = pixel_splats(twins, images, 0)
    order = torch.cdist(single.means, own.means[0]).argmin(1)
    torch.testing.assert_close(single.opacities, own.opacity_logits[0].sigmoid()[order])
    torch.testing.assert_close(single.rotations, own.quats[0][order], atol=1e-5, rtol=0)
    assert not single.keyframe.any()
    gaussians = to_dynamic_gaussians([part], torch.zeros(2, dtype=torch.int64))
    assert not gaussians.dynamic.any()
    assert all(len(at_time(gaussians, t).means) == len(part) for t in (0.0, 0.37, 1.0))


def test_intervals_are_mirrored_at_the_ends() -> None:
    expected = [[-0.25, 0, 0.25], [0, 0.25, 1], [0.25, 1, 1.75]]
    assert keyframe_intervals(torch.tensor([0.0, 0.25, 1.0])).tolist() == expected
    assert keyframe_intervals(torch.tensor([0.5])).tolist() == [[-0.5, 0.5, 1.5]]


def test_flat_struct_holds_raw_values_and_normalised_times() -> None:
    images = frames(3)
    predictions = predicted(images)
    assert predictions.gs_params is not None
    stamps = torch.tensor([10, 16, 30])
    gaussians = to_dynamic_gaussians(keyframe_splats(predictions, images, stamps[None])[0], stamps)
    torch.testing.assert_close(gaussians.opacity_logits, predictions.gs_params[0, ..., 7].flatten())
    torch.testing.assert_close(gaussians.life_span_logits, predictions.gs_params[0, ..., 11].flatten())
    assert gaussians.keyframe.unique_consecutive().tolist() == [0, 1, 2]
    assert gaussians.interval[HEIGHT * WIDTH].tolist() == pytest.approx([0, 0.3, 1])
    wider = to_dynamic_gaussians(keyframe_splats(predictions, images, stamps[None])[0], stamps, span=(0.0, 40.0))
    assert wider.interval[0].tolist() == pytest.approx([0.1, 0.25, 0.4])


def test_gaussians_without_motion_stay_and_fade() -> None:
    images = frames(2)
    splats = keyframe_splats(predicted(images, use_motion=False), images, times(2))[0]
    assert splats[0].forward_vel is None
    assert splats[0].forward_timestamp == 1
    gaussians = to_dynamic_gaussians(splats, times(2)[0])
    at, later = at_time(gaussians, 0.0), at_time(gaussians, 0.5)
    count = HEIGHT * WIDTH
    assert torch.equal(later.means[:count], at.means)
    assert bool((later.opacities[:count] < at.opacities).all())


def test_a_single_image_is_a_scene_of_one_instant() -> None:
    images = frames(1)
    (part,) = keyframe_splats(predicted(images), images, torch.tensor([[7]]))[0]
    assert (part.timestamp, part.forward_timestamp, part.backward_timestamp) == (7, None, None)
    gaussians = to_dynamic_gaussians([part], torch.tensor([7]))
    assert len(at_time(gaussians, 0.0).means) == HEIGHT * WIDTH


def test_times_that_do_not_ascend_are_told() -> None:
    images = frames(2)
    splats = keyframe_splats(predicted(images), images, torch.tensor([[4, 4]]))[0]
    with pytest.raises(SettingsError, match="ascending"):
        to_dynamic_gaussians(splats, torch.tensor([4, 4]))


@pytest.mark.parametrize("change", [{"voxel_size": 0.0}, {"voxel_size": float("inf")}, {"dynamic_threshold": -1.0}])
def test_settings_out_of_range_are_told(change: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        SplatSettings(**change).validate()


def test_predictions_without_gaussians_are_told() -> None:
    with torch.no_grad():
        predictions = lively()(frames(2), heads=("depth",))
    with pytest.raises(ValueError, match="gaussians"):
        keyframe_splats(predictions, frames(2), times(2))
