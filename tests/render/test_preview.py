"""The plan of a path over its scene: things are where they belong, and marked where something is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.render.plan import Plan, ScenePoints, scene_points
from neoverse_ns.render.preview import HEADER, MARGIN, PLAN_HEIGHT, TROUBLE, WIDTH, preview, save_picture
from neoverse_ns.trajectory.checks.check import check_path
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.export import layered_scene as layered

SCENE = layered.layered_scene()
X, Y, Z = torch.eye(3, dtype=torch.float64)


def plan(bounds: list[list[float]], across: torch.Tensor = X, up: torch.Tensor = Z) -> Plan:
    return Plan(across, up, torch.tensor(bounds), 200, 100)


def near(picture: np.ndarray, place: tuple[float, float]) -> np.ndarray:
    return picture[round(place[1] - 0.5), round(place[0] - 0.5)].astype(int)


def test_places_lie_where_their_directions_say_and_all_bounds_are_inside() -> None:
    drawn = plan([[-2.0, 7, 0], [2.0, -3, 1.0]])
    left, right, far = (drawn.position(torch.tensor(p)) for p in ([-2.0, 5, 0], [2.0, 5, 0], [-2.0, 0, 1.0]))
    assert 0 < left[0] < 15 < 185 < right[0] < 200
    assert left[1] == right[1]
    # Up on the plan, in the same scale.
    assert far[0] == left[0]
    assert left[1] - far[1] == pytest.approx((right[0] - left[0]) / 4)


def test_points_keep_their_colours_and_paths_go_over_them() -> None:
    drawn = plan([[-2.0, 0, 0], [2.0, 0, 1.0]])
    places = torch.tensor([[-1.0, 0, 0.5], [50.0, 0, 0.5]]).repeat(30, 1)
    drawn.points(ScenePoints(places, torch.tensor([[0.9, 0.1, 0.1]]).repeat(60, 1)))
    at = drawn.position(torch.tensor([-1.0, 0, 0.5]))
    red, green, blue = near(drawn.picture(), at)
    assert red > 200 > 150 > green == blue
    drawn.path(torch.tensor([[-2.0, 0, 0.5], [0.0, 0, 0.5], [2.0, 0, 0.5]]), [(0, 0, 0), (0, 0, 255), (0, 200, 0)], 3)
    picture = drawn.picture()
    assert near(picture, at).tolist() == [0, 0, 255]
    assert near(picture, drawn.position(torch.tensor([1.0, 0, 0.5]))).tolist() == [0, 200, 0]
    # A ring is open in its middle.
    drawn.ring(torch.tensor([0.0, 0, 0.9]), 8, (255, 0, 0))
    x, y = drawn.position(torch.tensor([0.0, 0, 0.9]))
    assert near(drawn.picture(), (x, y)).tolist() == [255, 255, 255]
    assert near(drawn.picture(), (x + 8, y))[1] < 100


def test_a_camera_opens_the_way_it_looks() -> None:
    drawn = plan([[-2.0, 0, 0], [2.0, 0, 2.0]])
    K = torch.tensor([[[50.0, 0, 50], [0, 50, 50], [0, 0, 1]]])
    c2w = torch.eye(4)[None]
    c2w[0, 2, 3] = 0.5
    drawn.camera(PinholeCameras(c2w, K, 100, 100), 0, 1.0, (200, 0, 0))
    picture = drawn.picture()
    ahead, behind = (near(picture, drawn.position(torch.tensor([0.1, 0, z]))) for z in (1.2, 0.2))
    assert ahead[0] > ahead[1]
    assert behind.tolist() == [255, 255, 255]


def test_points_are_the_surfaces_at_their_time() -> None:
    points = scene_points(SCENE.gaussians, 0.5)
    assert float(points.places[:, 2].max()) < 3, "without the far field"
    assert len(points.places) == len(points.rgb) > 10_000
    assert points.rgb.min() >= 0
    assert points.rgb.max() <= 1
    # Of keyframes, those alive at that time alone.
    assert len(scene_points(SCENE.gaussians, 0.5).places) < SCENE.gaussians.count


def path(count: int, ahead: float) -> Trajectory:
    c2w = torch.eye(4).repeat(count, 1, 1)
    c2w[:, 0, 3] = -0.7
    c2w[:, 2, 3] = torch.linspace(0, ahead, count)
    cameras = PinholeCameras(c2w, SCENE.cameras.K[:1].repeat(count, 1, 1), layered.WIDTH, layered.HEIGHT)
    return Trajectory(cameras, torch.linspace(0, 1, count))


@pytest.mark.parametrize("count", [1, 4, 24])
def test_a_preview_has_plans_and_frames(count: int) -> None:
    picture = preview(SCENE.gaussians, SCENE.cameras, path(count, 0.1), title="a path")
    assert picture.shape[1] == WIDTH
    plans = picture[MARGIN + 2 * HEADER : MARGIN + 2 * HEADER + PLAN_HEIGHT].astype(int)
    strip = picture[MARGIN + 2 * HEADER + PLAN_HEIGHT :].astype(int)
    for half in (plans[:, : WIDTH // 2], plans[:, WIDTH // 2 :]):
        assert 0.01 < (half.min(axis=-1) < 240).mean() < 0.99
    shown = min(count, 6)
    width = (WIDTH - 7 * MARGIN) // 6
    filled = [strip[60:120, MARGIN + i * (width + MARGIN) :][:, :width].mean() < 250 for i in range(6)]
    assert filled == [True] * shown + [False] * (6 - shown)
    assert not (np.abs(plans - np.array(TROUBLE)).max(axis=-1) < 8).any()


def test_trouble_is_marked() -> None:
    trajectory = path(24, 2.6)
    report = check_path(SCENE.gaussians, SCENE.cameras, SCENE.times, trajectory)
    assert report.of_kind("collision")
    picture = preview(SCENE.gaussians, SCENE.cameras, trajectory, report)
    plans = picture[MARGIN + 2 * HEADER : MARGIN + 2 * HEADER + PLAN_HEIGHT].astype(int)
    assert (np.abs(plans - np.array(TROUBLE)).max(axis=-1) < 8).sum() > 100


def test_pictures_are_saved_as_their_names_say(tmp_path: Path) -> None:
    picture = np.zeros((4, 6, 3), dtype=np.uint8)
    picture[0, 0] = (255, 0, 0)
    save_picture(tmp_path / "sub" / "a.png", picture)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "sub" / "a.png")), picture)
    save_picture(tmp_path / "a.jpg", picture)
    assert Image.open(tmp_path / "a.jpg").format == "JPEG"
    with pytest.raises(ValueError, match="no kind of picture"):
        save_picture(tmp_path / "a.xyz", picture)
