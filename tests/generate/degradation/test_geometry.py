"""Culling and the geometry filter, on a square before a wall."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn.functional import max_pool2d

from neoverse_ns.gaussians.dynamic import concatenate
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, INPAINTED, LayeredGaussians
from neoverse_ns.gaussians.transform import transform_layers
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.degradation.choices import Choices
from neoverse_ns.generate.degradation.geometry import DegradedScene, context_depths, degrade, rows_by_keyframe
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import pixel_centres, project
from tests.generate.layered import HALF, SQUARE, WALL, layered_depth, layered_source

ASIDE = Choices(side="right", distance=0.1)
"""To the right: the cameras move ahead."""
SOURCE = layered_source()
WIDTH, HEIGHT = SOURCE.cameras.width, SOURCE.cameras.height
PER_FRAME = WIDTH * HEIGHT


@pytest.fixture(scope="module")
def culled() -> DegradedScene:
    return degrade(SOURCE, ASIDE)


def cleared(points: torch.Tensor, centre: torch.Tensor, c2w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How far, in pixels, points are from being hidden by the square and from leaving the picture of a moved camera.

    Positive where they can be seen. A wall point is hidden where its line to the camera passes through the square.
    """
    share = ((SQUARE - centre[2]) / (points[..., 2] - centre[2]))[..., None]
    crossing = (centre + share * (points - centre))[..., :2]
    focal = SOURCE.cameras.K[0, 0, 0]
    outside = (crossing.abs() - HALF).amax(dim=-1) * focal / (SQUARE - centre[2])
    on_wall = points[..., 2] > 0.5 * (SQUARE + WALL)
    hidden = torch.where(on_wall, outside, torch.full_like(outside, 1e3))
    pixels, _ = project(points.reshape(-1, 3), torch.linalg.inv(c2w), SOURCE.cameras.K[0])
    size = torch.tensor([WIDTH, HEIGHT])
    inside = torch.minimum(pixels, size - pixels).amin(dim=-1).reshape(points.shape[:-1])
    return hidden, inside


def test_what_the_moved_cameras_cannot_see_is_left_out_and_nothing_else(culled: DegradedScene) -> None:
    for number, frame in enumerate(SOURCE.keyframes):
        rows = slice(number * PER_FRAME, (number + 1) * PER_FRAME)
        c2w = culled.moved.c2w[number]
        torch.testing.assert_close(
            c2w[:3, 3] - SOURCE.cameras.c2w[frame, :3, 3],
            torch.tensor([0.1 * context_depths(SOURCE).scale, 0.0, 0.0]),
            atol=1e-5,
            rtol=0,
        )
        hidden, inside = cleared(SOURCE.gaussians.frames.means[rows], c2w[:3, 3], c2w)
        clearly_seen = (hidden > 2) & (inside > 0.01)
        clearly_lost = (hidden < -1.5) | (inside < -0.01)
        assert clearly_seen.sum() + clearly_lost.sum() > 0.85 * PER_FRAME
        assert (hidden < -1.5).sum() > 40
        assert culled.kept[FRAMES][rows][clearly_seen].all()
        assert not culled.kept[FRAMES][rows][clearly_lost].any()


def test_seen_again_from_the_old_camera_holes_are_exactly_there(culled: DegradedScene) -> None:
    frame = SOURCE.keyframes[0]
    camera = SOURCE.cameras[[frame]]
    # The first keyframe's own Gaussians alone, so that the others do not fill what it lost.
    own = culled.gaussians.map(lambda layer: layer[layer.keyframe == 0])
    drawn = draw_conditions(own, camera, SOURCE.times[[frame]], ConditionSettings())
    hidden, inside = cleared(SOURCE.gaussians.frames.means[:PER_FRAME], culled.moved.c2w[0, :3, 3], culled.moved.c2w[0])
    clear = torch.minimum(hidden, inside).reshape(HEIGHT, WIDTH)
    # A pixel is judged together with its neighbours, over which Gaussians spread.
    around = clear[None]
    least, most = -max_pool2d(-around, 3, 1, 1)[0], max_pool2d(around, 3, 1, 1)[0]
    open_there = drawn.alpha[0] < 0.5
    assert not open_there[least > 1].any()
    assert open_there[most < -1].all()
    assert (most < -1).sum() > 60


def test_a_surface_within_the_margin_behind_another_is_kept() -> None:
    # The wall stands one unit, half the scale, behind the square.
    near = DegradationSettings(visibility_margin=0.55)
    kept = degrade(SOURCE, ASIDE, near).kept[FRAMES][:PER_FRAME]
    c2w = degrade(SOURCE, ASIDE).moved.c2w[0]
    _, inside = cleared(SOURCE.gaussians.frames.means[:PER_FRAME], c2w[:3, 3], c2w)
    assert torch.equal(kept[inside.abs() > 0.01], inside[inside.abs() > 0.01] > 0)


def test_edges_fly_between_the_surfaces_and_planes_stay(culled: DegradedScene) -> None:
    kernel = 11
    filtered = degrade(SOURCE, dataclasses.replace(ASIDE, kernel=kernel))
    assert torch.equal(filtered.kept[FRAMES], culled.kept[FRAMES])
    rows = culled.gaussians.frames.keyframe == 0
    before, after = culled.gaussians.frames[rows], filtered.gaussians.frames[rows]
    viewmat, K = torch.linalg.inv(filtered.moved.c2w[0]), filtered.moved.K[0]
    old_pixels, old_depth = project(before.means, viewmat, K)
    new_pixels, new_depth = project(after.means, viewmat, K)
    torch.testing.assert_close(new_pixels, old_pixels, atol=1e-2, rtol=0)  # along their rays
    # How far each one is from a depth edge of the moved view, in pixels along the worse axis.
    centre = filtered.moved.c2w[0, :3, 3]
    rays = torch.cat([(pixel_centres(HEIGHT, WIDTH) - K[:2, 2]) / K[0, 0], torch.ones(HEIGHT, WIDTH, 1)], dim=-1)
    rays = rays @ filtered.moved.c2w[0, :3, :3].T
    square = ((centre + rays * ((SQUARE - centre[2]) / rays[..., 2:]))[..., :2].abs() < HALF).all(dim=-1)[None].float()
    border = (max_pool2d(square, 3, 1, 1) - square + max_pool2d(1 - square, 3, 1, 1) - (1 - square)) > 0
    near_edge, in_reach = (max_pool2d(border.float(), 2 * r + 1, 1, r)[0] > 0 for r in (2, kernel // 2 + 2))
    column, row = old_pixels.long().unbind(-1)
    edge, reach = near_edge[row, column], in_reach[row, column]
    away = (row - HEIGHT / 2).abs().lt(HEIGHT / 2 - 7) & (column - WIDTH / 2).abs().lt(WIDTH / 2 - 7) & ~reach
    assert edge.sum() > 100
    assert away.sum() > 300
    torch.testing.assert_close(new_depth[away], old_depth[away], atol=0, rtol=3e-3)
    # Where the rays meet the two planes: 0 is on the square, 1 on the wall.
    behind = before.means[:, 2] - centre[2]
    square_depth, wall_depth = (old_depth * (plane - centre[2]) / behind for plane in (SQUARE, WALL))
    share = (new_depth - square_depth) / (wall_depth - square_depth)
    # To the right of the square is a hole, as nobody saw the wall there: that edge flies little.
    assert ((share[edge] > 0.03) & (share[edge] < 0.95)).all()
    assert (share[edge & (old_depth < 1.5)] > 0.2).float().mean() > 0.5
    assert (new_depth[edge & (old_depth < 1.5)] > old_depth[edge & (old_depth < 1.5)]).all()
    assert (new_depth[edge & (old_depth > 1.5)] < old_depth[edge & (old_depth > 1.5)]).all()
    # Their size in the moved view stays what it was.
    factor = (after.log_scales - before.log_scales)[:, 0].exp()
    torch.testing.assert_close(factor, new_depth / old_depth, atol=1e-4, rtol=0)
    kept_size = degrade(SOURCE, dataclasses.replace(ASIDE, kernel=kernel), DegradationSettings(resize=False))
    assert torch.equal(kept_size.gaussians.frames.log_scales, culled.gaussians.frames.log_scales)
    assert torch.equal(kept_size.gaussians.frames.means, filtered.gaussians.frames.means)


def test_a_wider_box_bends_more_of_the_scene(culled: DegradedScene) -> None:
    moved = []
    for kernel in (5, 15, 31):
        filtered = degrade(SOURCE, dataclasses.replace(ASIDE, kernel=kernel))
        change = (filtered.gaussians.frames.means - culled.gaussians.frames.means).norm(dim=-1)
        moved.append(float((change > 0.02).float().mean()))
    assert moved[0] < 0.8 * moved[1]
    assert moved[1] < 0.8 * moved[2]


def test_the_result_does_not_depend_on_the_scene_s_unit(culled: DegradedScene) -> None:
    larger = Sim3(torch.tensor(10.0, dtype=torch.float64), torch.eye(3, dtype=torch.float64), torch.zeros(3).double())
    cameras = SOURCE.cameras
    c2w = cameras.c2w.clone()
    c2w[:, :3, 3] *= 10
    scaled = dataclasses.replace(
        SOURCE,
        cameras=PinholeCameras(c2w, cameras.K, WIDTH, HEIGHT),
        gaussians=transform_layers(SOURCE.gaussians, larger),
    )
    again = degrade(scaled, ASIDE)
    assert (again.kept[FRAMES] != culled.kept[FRAMES]).float().mean() < 1e-3
    torch.testing.assert_close(again.moved.c2w[:, :3, 3], 10 * culled.moved.c2w[:, :3, 3], atol=1e-4, rtol=1e-4)


def test_constant_background_stays_where_any_moved_camera_sees_it_and_the_far_field_always() -> None:
    gaussians, count = SOURCE.gaussians.frames, PER_FRAME
    wall = gaussians[:count][layered_depth(SOURCE.cameras.c2w[0], SOURCE.cameras.K[0], WIDTH, HEIGHT).reshape(-1) > 1.5]
    constant = dataclasses.replace(wall, dynamic=torch.zeros_like(wall.dynamic))
    # One copy of the wall that can be seen, one far behind it that cannot, and a far field farther still.
    layers = {
        FRAMES: gaussians,
        BACKGROUND: concatenate([constant, constant.with_(means=2 * wall.means)]),
        INPAINTED: constant.with_(means=0.9 * wall.means),
        FAR_FIELD: constant.with_(means=3 * wall.means),
    }
    source = dataclasses.replace(SOURCE, gaussians=LayeredGaussians(layers))
    result = degrade(source, ASIDE)
    parts = [*result.kept[BACKGROUND].reshape(2, -1), result.kept[FAR_FIELD]]
    lost = [cleared(wall.means, c2w[:3, 3], c2w) for c2w in result.moved.c2w]
    clear = torch.stack([torch.minimum(hidden, inside) for hidden, inside in lost]).amax(dim=0)
    assert parts[0][clear > 2].all()
    assert not parts[0][clear < -2].any()
    assert (clear < -2).sum() > 40
    # What stands behind the wall is hidden but where moved cameras look past the wall's edge.
    assert parts[1].float().mean() < 0.2
    assert parts[2].all()
    assert torch.equal(result.kept[FRAMES], degrade(SOURCE, ASIDE).kept[FRAMES])
    # What a refiner painted was never seen, so nobody shall learn from it.
    assert INPAINTED not in result.gaussians
    assert INPAINTED not in result.kept
    smeared = degrade(source, dataclasses.replace(ASIDE, kernel=21))
    assert list(smeared.kept) == list(result.kept) == [FRAMES, BACKGROUND, FAR_FIELD]
    assert all(torch.equal(kept, result.kept[name]) for name, kept in smeared.kept.items())
    change = {
        name: (layer.means - result.gaussians[name].means).norm(dim=-1) for name, layer in smeared.gaussians.items()
    }
    assert change[BACKGROUND].max() > 0.1
    assert not change[FAR_FIELD].any()


def test_the_order_of_the_rows_does_not_matter(culled: DegradedScene) -> None:
    frames = SOURCE.gaussians.frames
    shuffle = torch.randperm(len(frames), generator=torch.Generator().manual_seed(0))
    mixed = dataclasses.replace(SOURCE, gaussians=LayeredGaussians({FRAMES: frames[shuffle]}))
    assert torch.equal(degrade(mixed, ASIDE).kept[FRAMES], culled.kept[FRAMES][shuffle])
    rows = rows_by_keyframe(mixed.gaussians.frames, 3)
    assert [len(mixed.gaussians.frames.means[r]) for r in rows] == [PER_FRAME, PER_FRAME, 0]


@pytest.mark.parametrize("empty", ["one keyframe", "all"])
def test_keyframes_without_gaussians_are_no_obstacle(empty: str) -> None:
    frames = SOURCE.gaussians.frames
    chosen = frames[frames.keyframe == 0] if empty == "one keyframe" else frames[:0]
    source = dataclasses.replace(SOURCE, gaussians=LayeredGaussians({FRAMES: chosen}))
    result = degrade(source, dataclasses.replace(ASIDE, kernel=11))
    assert len(result.kept[FRAMES]) == len(chosen)
    assert bool(result.kept[FRAMES].any()) == (empty == "one keyframe")
    assert result.moved.c2w.isfinite().all()


def test_mean_depths_and_scale_are_what_the_cameras_see() -> None:
    depths = context_depths(SOURCE)
    for number, frame in enumerate(SOURCE.keyframes):
        exact = layered_depth(SOURCE.cameras.c2w[frame], SOURCE.cameras.K[frame], WIDTH, HEIGHT)
        torch.testing.assert_close(depths.mean[number], exact.mean(), atol=1e-4, rtol=0)
    assert depths.scale == pytest.approx(WALL, abs=0.05)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_same_scene() -> None:
    choices = dataclasses.replace(ASIDE, kernel=11)
    there = degrade(dataclasses.replace(SOURCE, gaussians=SOURCE.gaussians.to("cuda")), choices)
    here = degrade(SOURCE, choices)
    assert (there.kept[FRAMES].cpu() != here.kept[FRAMES]).float().mean() < 2e-3


def test_a_single_frame_loses_what_is_hidden_too() -> None:
    single: SourceScene = layered_source(count=1)
    result = degrade(single, ASIDE)
    hidden, inside = cleared(single.gaussians.frames.means, result.moved.c2w[0, :3, 3], result.moved.c2w[0])
    assert result.kept[FRAMES][(hidden > 2) & (inside > 0.01)].all()
    assert not result.kept[FRAMES][(hidden < -1.5) | (inside < -0.01)].any()
    assert (hidden < -1.5).sum() > 40
