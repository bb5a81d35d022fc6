"""The plan of a path over its scene: things are where they belong, and marked where something is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.render.plan import Plan, ScenePoints, scene_points
from neoverse_ns.render.preview import (
    HEADER,
    LINE,
    MARGIN,
    MOST_LINES,
    PLAN_HEIGHT,
    SUBJECT,
    TROUBLE,
    WIDTH,
    _told,
    preview,
    save_picture,
)
from neoverse_ns.trajectory.checks.check import check_path
from neoverse_ns.trajectory.checks.report import PathReport, Problem
from neoverse_ns.trajectory.moves.subject import PointPath
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


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    """How many pixels have a colour."""
    return int((np.abs(picture.astype(int) - np.array(colour)).max(axis=-1) < 8).sum())


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
    assert coloured(plans, TROUBLE) > 100
    # Told in words between maps and frames, which move down for them.
    silent = preview(SCENE.gaussians, SCENE.cameras, trajectory)
    lines = 1 + len(report.problems)
    assert picture.shape[0] - silent.shape[0] == lines * LINE
    under = MARGIN + 2 * HEADER + PLAN_HEIGHT + MARGIN // 2
    for i in range(lines):
        line = picture[under + LINE * i : under + LINE * (i + 1)]
        assert (coloured(line, TROUBLE) > 20) == (i > 0)
        assert (line.min(axis=-1) < 120).sum() > 200


def test_both_ends_of_a_stretch_are_ringed() -> None:
    trajectory = path(9, 0.5)
    one = torch.zeros(9, dtype=torch.float64)
    steps = one[1:]
    quiet = PathReport(one, one, one > 1, steps, steps, steps, (), 16.0)
    ringed = []
    for first, last in ((0, 0), (0, 8)):
        report = replace(quiet, problems=(Problem("unseen", first, last, "a test"),))
        page = preview(SCENE.gaussians, SCENE.cameras, trajectory, report)
        rows = (
            np.abs(page[: MARGIN + 2 * HEADER + PLAN_HEIGHT, : WIDTH // 2].astype(int) - TROUBLE).max(axis=-1) < 8
        ).any(1)
        ringed.append(np.flatnonzero(rows))
    # The path leads upwards on the plan from above: its last frame's ring is the higher one.
    assert ringed[1].max() == ringed[0].max()
    assert ringed[1].min() < ringed[0].min() - 20


def test_what_is_told_stays_short() -> None:
    one = torch.full((9,), 0.07, dtype=torch.float64)
    steps = torch.zeros(8, dtype=torch.float64)
    report = PathReport(one, one, one > 1, steps, steps, steps, (), 16.0)
    assert _told(None) == []
    (summary, _), (verdict, _) = _told(report)
    assert "at most 7 % of a picture was never seen (frame 0)" in summary
    assert verdict == "no problem was found"
    many = tuple(Problem("jump", i, i, "a jump") for i in range(8))
    lines = [text for text, _ in _told(replace(report, problems=many))]
    assert len(lines) == MOST_LINES
    assert lines[1] == "1  frame 0: a jump"
    assert lines[-1].startswith("and 4 more")


def test_the_subject_is_marked_where_it_is() -> None:
    trajectory = path(9, 0.1)
    without = preview(SCENE.gaussians, SCENE.cameras, trajectory)
    assert coloured(without.astype(int), SUBJECT) == 0
    left, right = PointPath.resting(torch.tensor([-0.5, 0.0, 1.5])), PointPath.resting(torch.tensor([0.5, 0.0, 1.5]))
    columns = []
    for subject in (left, right):
        picture = preview(SCENE.gaussians, SCENE.cameras, replace(trajectory, subject=subject))
        above = picture[:, : WIDTH // 2].astype(int)
        assert coloured(picture[:, WIDTH // 2 :].astype(int), SUBJECT) > 50, "from the side, too"
        # Its label stands to the right of it.
        columns.append(np.flatnonzero((np.abs(above - SUBJECT).max(axis=-1) < 8).any(0)).min())
    assert columns[1] > columns[0] + 50


def test_what_is_far_does_not_make_the_path_small() -> None:
    """The layered scene with a wall a hundred times as far, as the sky is: the path is as large as without."""
    scene, trajectory = SCENE.gaussians, path(9, 0.4)
    far = scene.frames[torch.arange(len(scene.frames)) % 7 == 0]
    far = far.with_(means=far.means * 100, log_scales=far.log_scales + 4)
    with_far = LayeredGaussians({**dict(scene.items()), "background": far})
    reach = []
    for gaussians in (scene, with_far):
        page = preview(gaussians, SCENE.cameras, trajectory)[MARGIN + 2 * HEADER :][:PLAN_HEIGHT, : WIDTH // 2]
        violet_to_red = page.astype(int).max(axis=-1) - page.astype(int).min(axis=-1) > 120
        rows = np.flatnonzero(violet_to_red.any(axis=1))
        reach.append(int(rows.max() - rows.min()))
    assert reach[1] == pytest.approx(reach[0], rel=0.1)


def test_pictures_are_saved_as_their_names_say(tmp_path: Path) -> None:
    picture = np.zeros((4, 6, 3), dtype=np.uint8)
    picture[0, 0] = (255, 0, 0)
    save_picture(tmp_path / "sub" / "a.png", picture)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "sub" / "a.png")), picture)
    save_picture(tmp_path / "a.jpg", picture)
    assert Image.open(tmp_path / "a.jpg").format == "JPEG"
    with pytest.raises(ValueError, match="no kind of picture"):
        save_picture(tmp_path / "a.xyz", picture)
