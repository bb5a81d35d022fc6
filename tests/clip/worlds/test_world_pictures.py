"""Pictures of random worlds: the same from wherever and whenever they are made, and as good as their truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.clip.synthetic.worlds import NOTHING, World, WorldCamera, is_static, random_world

WIDTH, HEIGHT = 98, 56
TIMES = (0.1, 0.8)


def camera(world: World, time: float, width: int = WIDTH, height: int = HEIGHT) -> WorldCamera:
    times = np.array([time])
    return WorldCamera(
        world, world.poses(times)[0], world.camera(times)[0], world.intrinsics(width, height), width, height
    )


def test_a_seed_is_one_world() -> None:
    one, again, other = random_world(7), random_world(7), random_world(8)
    pictures = [camera(world, 0.4) for world in (one, again, other)]
    colours = [each.colour(each.view()) for each in pictures]
    assert torch.equal(colours[0], colours[1])
    assert not torch.equal(colours[0], colours[2])


def test_pictures_do_not_depend_on_threads() -> None:
    """An epoch is the same with any number of workers, each of which has one thread."""
    before = torch.get_num_threads()
    pictures = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            one = camera(random_world(4), 0.6, 392, 224)  # More values than a thread's share.
            view = one.view()
            pictures.append((one.colour(view), view.depth, view.part))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*pictures, strict=True))


@pytest.mark.parametrize("seed", [0, 2, 9])
def test_rectangles_around_parts_cut_nothing_off(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    views = [camera(random_world(seed), time).view() for time in TIMES]
    whole = (0.0, 0.0, float(WIDTH), float(HEIGHT))
    monkeypatch.setattr(WorldCamera, "_bounds", lambda self: [whole] * len(self.world.parts))
    for view, time in zip(views, TIMES, strict=True):
        full = camera(random_world(seed), time).view()
        assert torch.equal(view.part, full.part)
        assert torch.equal(view.depth, full.depth)


def test_more_rays_a_pixel_average_to_the_same_picture() -> None:
    one = camera(random_world(1), 0.5)
    plain, smooth = one.colour(one.view()), one.colour(one.view(3), 3)
    assert smooth.shape == plain.shape
    difference = (smooth.float() - plain.float()).abs().mean()
    shifted = (smooth.float() - plain.float().roll(2, 1)).abs().mean()
    assert difference < 0.5 * shifted
    # The ray in the middle of three by three is the pixel's only one.
    assert torch.equal(one.view(3).part[1::3, 1::3], one.view().part)


def test_worlds_are_varied_and_sane() -> None:
    kinds, paths, static, moving = set(), set(), 0, []
    for seed in range(24):
        world = random_world(seed)
        kinds.add(world.kind)
        paths.add(world.path)
        static += is_static(seed)
        assert (world.things == 0) == is_static(seed)
        assert {part.thing for part in world.parts if part.thing} == set(range(1, world.things + 1))
        assert 35 - 1e-6 <= np.degrees(2 * np.arctan(0.5 / world.focal)) <= 90 + 1e-6
        shares, depths = [], []
        for time in (0.0, 0.6):
            view = camera(world, time, 49, 28).view()
            assert bool((view.part != NOTHING).all())
            depths.append(view.depth)
            numbers = torch.tensor([part.thing for part in world.parts])
            shares.append((numbers[view.part] > 0).float().mean().item())
        depth = torch.stack(depths)
        assert depth.min() > 0.3  # Outside of everything.
        assert 1 < depth.median() < 20
        if world.things:
            moving.append(max(shares))
    assert kinds == {"room", "outdoors"}
    assert len(paths) >= 5
    assert 4 <= static <= 13
    assert np.mean(moving) > 0.04
    assert np.mean([share > 0.003 for share in moving]) > 0.9


def test_things_move_rigidly_and_the_rest_stands() -> None:
    for seed in (0, 1, 5):
        world = random_world(seed)
        poses = world.poses(np.linspace(0, 1, 9))
        turns = poses[..., :3, :3]
        assert np.allclose(turns @ np.swapaxes(turns, -1, -2), np.eye(3), atol=1e-9)
        assert np.allclose(np.linalg.det(turns), 1)
        moves = np.abs(poses - poses[:1]).max(axis=(0, 2, 3))
        assert all((part.thing > 0) == (move > 0) for part, move in zip(world.parts, moves, strict=True))
