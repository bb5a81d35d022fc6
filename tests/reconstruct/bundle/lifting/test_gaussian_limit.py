"""The bound on the number of Gaussians: kept exactly, at the least loss."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, LAYERS, LayeredGaussians
from neoverse_ns.rasterize.drawing import draw
from neoverse_ns.reconstruct.bundle.lifting.background import fuse_background
from neoverse_ns.reconstruct.bundle.lifting.far_field import far_field
from neoverse_ns.reconstruct.bundle.lifting.gaussian_limit import limit_gaussians, times_shown
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig, lift
from tests.reconstruct.small_scene import all_pixels, small_scene


def test_without_a_bound_nothing_is_lost() -> None:
    scene = small_scene()
    assert scene.gaussians is not None
    behind = fuse_background(scene.clip, scene.geometry, all_pixels(scene))
    whole = scene.gaussians.replaced(BACKGROUND, behind)
    every = len(scene.gaussians.frames) + len(behind)
    for most in (None, every, every + 1):
        kept = limit_gaussians(whole, scene.geometry, most)
        assert kept.count == every
        for name, value in whole.tensors().items():
            assert torch.equal(kept.tensors()[name], value), name


def test_counts_the_keyframes_that_show_a_surface() -> None:
    scene = small_scene(width=64, height=48)
    assert scene.gaussians is not None
    cameras, keyframes = scene.geometry.cameras, scene.geometry.keyframes
    first = scene.gaussians.frames[:1]
    # Cameras move to the right; column c of the first keyframe's wall is column c - f x in a camera at x.
    for column in (2.5, 30.5, 60.5):
        x = (column - 32) / float(cameras.K[0, 0, 0])
        shown = sum(0 <= column - float(cameras.K[0, 0, 0] * cameras.c2w[k, 0, 3]) < 64 for k in keyframes)
        on_wall = first.with_(means=torch.tensor([[x, 0.0, 1.0]]))
        assert times_shown(on_wall, scene.geometry).tolist() == [shown]
        assert times_shown(first.with_(means=torch.tensor([[x, 0.0, 1.3]])), scene.geometry).tolist() == [0]


def test_redundant_background_goes_next_and_the_far_field_stays() -> None:
    scene = small_scene(width=64, height=48)
    assert scene.gaussians is not None
    frames = scene.gaussians.frames
    fused, far = fuse_background(scene.clip, scene.geometry, all_pixels(scene)), far_field(scene.clip, scene.geometry)
    views = times_shown(fused, scene.geometry)
    # Every block of four pixels is merged before.
    most = len(frames) // 4 + len(far) + int((views < 3).sum())
    whole = scene.gaussians.replaced(BACKGROUND, fused).replaced(FAR_FIELD, far)
    kept = limit_gaussians(whole, scene.geometry, most)
    assert kept.count == most
    assert len(kept.frames) == len(frames) // 4
    assert len(kept.layer(FAR_FIELD)) == len(far)
    for name, value in far.tensors().items():
        assert torch.equal(getattr(kept[FAR_FIELD], name), value), name
    assert times_shown(kept[BACKGROUND], scene.geometry).max() < 3
    # Whatever is left of the background is some of it, in its order.
    assert torch.equal(kept[BACKGROUND].means, fused[views < 3].means)


def test_every_layer_keeps_its_own_where_little_room_is_left() -> None:
    scene = small_scene(width=64, height=48)
    assert scene.gaussians is not None
    fused, far = (
        fuse_background(scene.clip, scene.geometry, all_pixels(scene)),
        far_field(scene.clip, scene.geometry),
    )
    whole = scene.gaussians.replaced(BACKGROUND, fused).replaced(FAR_FIELD, far)
    kept = limit_gaussians(whole, scene.geometry, 500)
    assert kept.count == 500
    rows = {name: set(map(tuple, whole.layer(name).means.tolist())) for name in LAYERS}
    for name, layer in kept.items():
        # Blocks of the keyframes' own are merged; all others are what they were.
        assert name == "frames" or set(map(tuple, layer.means.tolist())) <= rows[name], name


def test_flat_blocks_become_one_gaussian_each() -> None:
    # The left half is of one colour, the right half noise.
    image = torch.randint(0, 256, (16, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    image[:, :16] = 90
    scene = small_scene(width=32, height=16, image=image)
    # Sharpened colours would carry some of the noise into the flat half.
    lifted = lift(scene.clip, scene.geometry, {}, LiftConfig(sharpening=0)).gaussians
    count = len(lifted)
    most = count - 3 * (count // 2 // 4)
    limited = limit_gaussians(LayeredGaussians({FRAMES: lifted}), scene.geometry, most)
    assert limited.count == most
    kept = limited.frames
    merged = kept.log_scales[:, 0] > lifted.log_scales.max() + 0.5
    assert merged.sum() == count // 2 // 4
    torch.testing.assert_close(kept.sh[merged], lifted.sh[:1].expand(int(merged.sum()), -1, -1))
    camera = scene.geometry.cameras[[0]]
    before = draw(lifted, 0.0, camera.viewmats, camera.K, 32, 16)
    after = draw(kept, 0.0, camera.viewmats, camera.K, 32, 16)
    inner = (slice(None), slice(3, -3), slice(3, -3))
    assert (after.rgb - before.rgb)[inner].abs().mean() < 0.02


def test_a_hard_bound_keeps_what_is_known_best() -> None:
    scene = small_scene(width=32, height=16)
    assert scene.gaussians is not None
    confidence = torch.full_like(scene.geometry.confidence, 0.1)
    confidence[1] = 0.9
    geometry = dataclasses.replace(scene.geometry, confidence=confidence)
    kept = limit_gaussians(scene.gaussians, geometry, 100)
    assert kept.count == 100
    assert (kept.frames.keyframe == 1).all()


def test_a_bound_of_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"lift\.max_gaussians"):
        LiftConfig(max_gaussians=0).validate()
    LiftConfig(max_gaussians=1).validate()
