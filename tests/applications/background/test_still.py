"""The Gaussians of what stands still: nothing that moves among them, and one surface."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.applications.background.still import for_a_while, still_scene
from neoverse_ns.applications.background.wide import LARGEST, wide_camera
from neoverse_ns.applications.witnesses import Witnesses
from neoverse_ns.geometry.projection import project, unproject
from tests.applications.courtyard import HEIGHT, WIDTH, Courtyard, courtyard


@pytest.fixture(scope="module")
def yard() -> Courtyard:
    return courtyard()


def test_one_constant_surface_without_what_moves(yard: Courtyard) -> None:
    witnesses = Witnesses.of(yard.scene)
    still = still_scene(yard.scene, witnesses).layer("background")
    assert not bool(still.dynamic.any())
    assert float(still.velocities.abs().max()) == 0
    # A frame's worth and what others add to it, not one surface per keyframe.
    assert HEIGHT * WIDTH * 0.8 < len(still) < 2 * HEIGHT * WIDTH
    masked = yard.scene.gaussians.frames.means[yard.covered.reshape(-1)]
    assert len(masked) > 500
    assert not {tuple(mean) for mean in masked.tolist()} & {tuple(mean) for mean in still.means.tolist()}


def test_what_stood_there_for_a_while_is_told(yard: Courtyard) -> None:
    witnesses = Witnesses.of(yard.scene)
    camera, depth = witnesses.cameras, torch.from_numpy(witnesses.depth[4])
    here = slice(20, 40, 4), slice(30, 70, 4)
    points = unproject(depth.double(), camera.K[4], camera.c2w[4])[here].reshape(-1, 3)
    rgb = torch.from_numpy(witnesses.images[4])[here].reshape(-1, 3)
    centre = camera.c2w[4, :3, 3]
    before = centre + 0.6 * (points - centre)
    assert for_a_while(before, rgb, witnesses).float().mean() > 0.8
    assert for_a_while(points, rgb, witnesses).float().mean() < 0.2
    assert for_a_while(points, (rgb + 0.5) % 1, witnesses).float().mean() > 0.7


def test_the_wide_picture_holds_all_others(yard: Courtyard) -> None:
    cameras = yard.scene.cameras
    wide = wide_camera(cameras, 1.0)
    assert WIDTH <= wide.width <= LARGEST * WIDTH + 2
    assert wide.width % 2 == 0
    assert wide.height % 2 == 0
    ends = torch.ones(1, HEIGHT, WIDTH)
    for frame in (0, len(cameras) - 1):
        corners = unproject(ends, cameras.K[[frame]], cameras.c2w[[frame]])[0, :: HEIGHT - 1, :: WIDTH - 1]
        uv, z = project(corners.reshape(-1, 3), wide.viewmats[0], wide.K[0])
        assert bool((z > 0).all())
        assert float(uv.min()) > -1
        assert float(uv[:, 0].max()) < wide.width + 1
        assert float(uv[:, 1].max()) < wide.height + 1
