"""The bound on the number of Gaussians: kept exactly, at the least loss."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import BACKDROP, concatenate
from neoverse_ns.rasterize.scene import draw
from neoverse_ns.reconstruct.bundle.lifting.background import fuse_background
from neoverse_ns.reconstruct.bundle.lifting.far_field import backdrop
from neoverse_ns.reconstruct.bundle.lifting.gaussian_limit import limit_gaussians, times_shown
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from tests.reconstruct.small_scene import small_scene


def test_without_a_bound_nothing_is_lost() -> None:
    scene = small_scene()
    assert scene.gaussians is not None
    behind = fuse_background(scene.clip, scene.geometry, scene.gaussians)
    every = len(scene.gaussians) + len(behind)
    for most in (None, every, every + 1):
        assert len(limit_gaussians(scene.gaussians, behind, scene.geometry, most)) == every


def test_counts_the_keyframes_that_show_a_surface() -> None:
    scene = small_scene(width=64, height=48)
    assert scene.gaussians is not None
    cameras, keyframes = scene.geometry.cameras, scene.geometry.keyframes
    first = scene.gaussians[:1]
    # Cameras move to the right; column c of the first keyframe's wall is column c - f x in a camera at x.
    for column in (2.5, 30.5, 60.5):
        x = (column - 32) / float(cameras.K[0, 0, 0])
        shown = sum(0 <= column - float(cameras.K[0, 0, 0] * cameras.c2w[k, 0, 3]) < 64 for k in keyframes)
        on_wall = first.with_(means=torch.tensor([[x, 0.0, 1.0]]))
        assert times_shown(on_wall, scene.geometry).tolist() == [shown]
        assert times_shown(first.with_(means=torch.tensor([[x, 0.0, 1.3]])), scene.geometry).tolist() == [0]


def test_redundant_background_goes_next_and_the_backdrop_stays() -> None:
    scene = small_scene(width=64, height=48)
    assert scene.gaussians is not None
    fused, far = fuse_background(scene.clip, scene.geometry, scene.gaussians), backdrop(scene.clip, scene.geometry)
    views = times_shown(fused, scene.geometry)
    # Every block of four pixels is merged before.
    most = len(scene.gaussians) // 4 + len(far) + int((views < 3).sum())
    kept = limit_gaussians(scene.gaussians, concatenate([fused, far]), scene.geometry, most)
    assert len(kept) == most
    assert (kept.keyframe >= 0).sum() == len(scene.gaussians) // 4
    assert (kept.keyframe == BACKDROP).sum() == len(far)
    assert times_shown(kept[kept.keyframe == -1], scene.geometry).max() < 3


def test_flat_blocks_become_one_gaussian_each() -> None:
    # The left half is of one colour, the right half noise.
    image = torch.randint(0, 256, (16, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    image[:, :16] = 90
    scene = small_scene(width=32, height=16, image=image)
    assert scene.gaussians is not None
    count = len(scene.gaussians)
    most = count - 3 * (count // 2 // 4)
    kept = limit_gaussians(scene.gaussians, scene.gaussians[:0], scene.geometry, most)
    assert len(kept) == most
    merged = kept.log_scales[:, 0] > scene.gaussians.log_scales.max() + 0.5
    assert merged.sum() == count // 2 // 4
    torch.testing.assert_close(kept.sh[merged], scene.gaussians.sh[:1].expand(int(merged.sum()), -1, -1))
    camera = scene.geometry.cameras[[0]]
    before = draw(scene.gaussians, 0.0, camera.viewmats, camera.K, 32, 16)
    after = draw(kept, 0.0, camera.viewmats, camera.K, 32, 16)
    inner = (slice(None), slice(3, -3), slice(3, -3))
    assert (after.rgb - before.rgb)[inner].abs().mean() < 0.02


def test_a_hard_bound_keeps_what_is_known_best() -> None:
    scene = small_scene(width=32, height=16)
    assert scene.gaussians is not None
    confidence = torch.full_like(scene.geometry.confidence, 0.1)
    confidence[1] = 0.9
    geometry = dataclasses.replace(scene.geometry, confidence=confidence)
    kept = limit_gaussians(scene.gaussians, scene.gaussians[:0], geometry, 100)
    assert len(kept) == 100
    assert (kept.keyframe == 1).all()


def test_a_bound_of_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"lift\.max_gaussians"):
        LiftConfig(max_gaussians=0).validate()
    LiftConfig(max_gaussians=1).validate()
