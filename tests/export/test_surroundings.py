"""Points picked in a scene, things in it, and what they do while the clip plays."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.surroundings import SceneSurroundings
from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.trajectory.moves.follow import follow_point
from tests.export.layered_scene import SQUARE, WALL, layered_scene
from tests.export.made_scene import HEIGHT, WIDTH, made_scene, truth
from tests.gaussians.scenes import random_gaussians

STEP = torch.tensor([0.4, -0.2, 0.1])
"""How far the cloud goes from keyframe to keyframe, the second time twice as far."""


def cloud(keyframe: int, centre: torch.Tensor, forward: torch.Tensor, back: torch.Tensor) -> DynamicGaussians:
    """Gaussians around a point, lifted from one of three keyframes."""
    like = random_gaussians(40, seed=keyframe)
    at = 0.5 * keyframe
    return like.with_(
        means=centre + 0.05 * like.means,
        keyframe=torch.full((40,), keyframe),
        interval=torch.tensor([at - 0.5, at, at + 0.5]).repeat(40, 1),
        velocities=torch.stack([forward, back]).repeat(40, 1, 1),
        opacity_logits=torch.full((40,), 3.0),
        dynamic=torch.ones(40, dtype=torch.bool),
    )


def moving_cloud() -> DynamicGaussians:
    """It goes one step in the first half of the clip and two in the second; another cloud rests beside it."""
    start, rest = torch.zeros(3), torch.zeros(3)
    aside = torch.tensor([2.0, 0.0, 0.0])
    moving = [cloud(0, start, STEP, rest), cloud(1, start + STEP, 2 * STEP, -STEP)]
    moving.append(cloud(2, start + 3 * STEP, rest, -2 * STEP))
    return concatenate(moving + [cloud(k, aside, rest, rest) for k in range(3)])


@pytest.mark.parametrize("known", [0.0, 0.3, 0.5, 1.0])
def test_a_point_moves_with_the_gaussians_around_it_through_keyframes(known: float) -> None:
    times = torch.linspace(0, 1, 9)
    steps = torch.where(times < 0.5, 2 * times, 1 + 4 * (times - 0.5))
    expected = (steps[:, None] * STEP).double()
    there = (2 * known if known < 0.5 else 1 + 4 * (known - 0.5)) * STEP
    found = follow_point(moving_cloud(), there, known, times)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_point_on_what_rests_stays() -> None:
    found = follow_point(moving_cloud(), torch.tensor([2.0, 0.0, 0.0]), 0.2, torch.linspace(0, 1, 7))
    torch.testing.assert_close(found, torch.tensor([2.0, 0, 0]).double().expand(7, 3), atol=1e-6, rtol=0)


def test_a_pixel_is_the_surface_it_shows() -> None:
    scene = layered_scene()
    known = SceneSurroundings(scene.gaussians, scene.cameras, scene.times)
    for x, y, depth in ((48.0, 32.0, SQUARE), (4.0, 32.0, WALL)):
        path = known.at_pixel(x, y, 3)
        K, c2w = scene.cameras.K[3], scene.cameras.c2w[3]
        ray = torch.linalg.inv(K) @ torch.tensor([x, y, 1.0])
        expected = (ray * depth + c2w[:3, 3]).double()
        torch.testing.assert_close(path.at(scene.times)[3], expected, atol=0.02, rtol=0)
        assert len(path.points) == len(scene.times)
    assert known.median_depth(0) == pytest.approx(WALL, abs=0.02)
    for x, y, frame, message in (
        (96.0, 1.0, 0, "outside the frames' 96x64"),
        (1.0, -1.0, 0, "outside"),
        (1.0, 1.0, 5, "no sampled frame 5: they are 0 to 4"),
    ):
        with pytest.raises(SettingsError, match=message):
            known.at_pixel(x, y, frame)
    empty = SceneSurroundings(scene.gaussians.only("far_field"), scene.cameras, scene.times)
    with pytest.raises(SettingsError, match="shows no surface"):
        empty.at_pixel(48.0, 32.0, 0)
    assert empty.median_depth(0) == 1.0
    assert empty.mover() is None


def told_apart() -> SceneSurroundings:
    """The courtyard's true depth and things."""
    scene = made_scene()
    geometry, known = scene.geometry, truth()
    things = known.things[geometry.keyframes].int()
    told = SceneGeometry(
        geometry.cameras, geometry.keyframes, geometry.depth, geometry.confidence, geometry.dynamic, {}, things
    )
    return SceneSurroundings(layered_scene().gaussians, known.cameras, scene.clip.times, told)


def test_things_have_their_middle_where_their_pixels_are() -> None:
    known, seen = told_apart(), truth()
    geometry = known.geometry
    assert geometry is not None
    assert geometry.things is not None
    numbers = [n for n in torch.unique(geometry.things).tolist() if n > 0]
    assert len(numbers) >= 2
    checked = 0
    for number in numbers:
        path = known.thing(number)
        for keyframe, mask in zip(geometry.keyframes, geometry.things == number, strict=True):
            rows, columns = mask.nonzero(as_tuple=True)
            if (
                len(rows) < 100
                or min(rows.min(), columns.min()) < 2
                or rows.max() > HEIGHT - 3
                or (columns.max() > WIDTH - 3)
            ):
                continue
            place = path.at(known.times[keyframe : keyframe + 1])[0]
            camera = seen.cameras.viewmats[keyframe] @ torch.cat([place, place.new_ones(1)])
            uv = (seen.cameras.K[keyframe] @ camera[:3])[:2] / camera[2]
            box = torch.tensor([columns.min() + columns.max(), rows.min() + rows.max()]) / 2 + 0.5
            size = float(torch.stack([columns.max() - columns.min(), rows.max() - rows.min()]).max())
            assert float((uv - box).norm()) < 0.15 * size + 1
            checked += 1
    assert checked >= 3
    with pytest.raises(SettingsError, match="no moving thing 99 in this scene; there are: 1, 2"):
        known.thing(99)


def test_what_moves_most_visibly_is_found() -> None:
    known = told_apart()
    geometry = known.geometry
    assert geometry is not None
    assert geometry.things is not None
    counts = {int(n): int((geometry.things == n).sum()) for n in torch.unique(geometry.things) if n > 0}
    largest = max(counts, key=lambda n: counts[n])
    found = known.mover()
    assert found is not None
    torch.testing.assert_close(found.points, known.thing(largest).points)
    # Where things were not told apart, whatever moves counts; where nothing does there is no such point.
    geometry = made_scene().geometry
    together = SceneSurroundings(known.gaussians, known.cameras, known.times, geometry).mover()
    assert together is not None
    still = SceneGeometry(
        geometry.cameras, geometry.keyframes, geometry.depth, geometry.confidence, geometry.dynamic & False
    )
    rests = SceneSurroundings(known.gaussians, known.cameras, known.times, still)
    assert rests.mover() is None
    with pytest.raises(SettingsError, match="not told apart"):
        rests.thing(1)
