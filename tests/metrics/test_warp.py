"""Warping along known depth, PSNR over what it explains, and consistency of views, where the answers are known."""

from __future__ import annotations

import math

import pytest
import torch

from neoverse_ns.clip.synthetic import render_synthetic
from neoverse_ns.clip.synthetic.render import SyntheticClip
from neoverse_ns.metrics.met3r_like import PATCH, colour_patches, dino_features, inconsistency
from neoverse_ns.metrics.warp import View, warp, warp_psnr

HEIGHT, WIDTH, FOCAL = 24, 32, 30.0
K = torch.tensor([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]], dtype=torch.float64)


def at(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> View:
    c2w = torch.eye(4, dtype=torch.float64)
    c2w[:3, 3] = torch.tensor([x, y, z])
    return View(c2w, K)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def demo() -> SyntheticClip:
    return render_synthetic(5, 96, 64)


def view_of(demo: SyntheticClip, frame: int, right: bool = False) -> View:
    cameras = demo.right_cameras if right else demo.cameras
    return View(cameras.c2w[frame], cameras.K[frame])


def test_a_plane_moves_by_focal_times_baseline_over_depth() -> None:
    values, depth = noise(HEIGHT, WIDTH, 3), torch.full((HEIGHT, WIDTH), 5.0)
    # 30 * .5 / 5 = 3 pixels to the left, seen from a camera half a unit to the right.
    warped = warp(values, depth, at(), at(x=0.5), (HEIGHT, WIDTH))
    assert warped.explained[:, : WIDTH - 3].all()
    assert not warped.explained[:, WIDTH - 2 :].any()
    assert (warped.values[:, : WIDTH - 3] - values[:, 3:]).abs().max() < 1e-5


def test_a_camera_that_comes_nearer_has_no_holes_and_looks_between_pixels() -> None:
    x = torch.arange(WIDTH, dtype=torch.float32).expand(HEIGHT, WIDTH)
    warped = warp(x[..., None], torch.full((HEIGHT, WIDTH), 5.0), at(), at(z=2.0), (HEIGHT, WIDTH))
    assert warped.explained.all()
    # What is at column c lies (c + .5 - 16) * 3 / 5 from the middle in the source.
    expected = (x + 0.5 - WIDTH / 2) * 0.6 + WIDTH / 2 - 0.5
    assert (warped.values[..., 0] - expected).abs().max() < 1e-4


def test_what_is_hidden_is_not_explained_by_what_hides_it() -> None:
    depth = torch.full((HEIGHT, WIDTH), 6.0)
    depth[:, 12:20] = 3.0
    values = torch.where(depth[..., None] < 5, 1.0, 0.0)
    # The near strip moves by 5 pixels, the wall by 2.5: the wall behind the strip's right edge was never seen.
    warped = warp(values, depth, at(), at(x=0.5), (HEIGHT, WIDTH))
    strip = warped.values[..., 0] > 0.5
    columns = strip.all(0).nonzero()[:, 0].tolist()
    assert columns == list(range(7, 15))
    assert not warped.explained[:, 15:17].any()
    assert warped.explained[:, 18 : WIDTH - 4].all()
    assert set(warped.values[warped.explained].unique().tolist()) == {0.0, 1.0}


def test_pixels_that_do_not_count_explain_nothing() -> None:
    counts = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    counts[:, :10] = False
    depth = torch.full((HEIGHT, WIDTH), 5.0)
    depth[:4] = 0.0
    warped = warp(noise(HEIGHT, WIDTH, 1), depth, at(), at(), (HEIGHT, WIDTH), counts)
    assert torch.equal(warped.explained, counts & (depth > 0))
    nothing = warp_psnr(noise(HEIGHT, WIDTH, 3), at(z=-9.0), noise(HEIGHT, WIDTH, 3), 0 * depth, at())
    assert math.isnan(nothing[0])
    assert nothing[1] == 0.0


def test_warp_psnr_is_the_psnr_of_what_was_added(demo: SyntheticClip) -> None:
    depth = torch.full((HEIGHT, WIDTH), 5.0)
    seen = noise(HEIGHT, WIDTH, 3) * 0.8
    same, share = warp_psnr(seen.clone(), at(), seen, depth, at())
    assert share == 1.0
    assert same > 100
    value, _ = warp_psnr(seen + 0.1, at(), seen, depth, at())
    assert value == pytest.approx(20.0, abs=1e-3)
    # Of the demo: the second camera's true frames are explained by the first's; another time's are not so well.
    frame, right = demo.frames[2].float() / 255, demo.right_frames.float() / 255
    true, share = warp_psnr(right[2], view_of(demo, 2, True), frame, demo.depth[2], view_of(demo, 2))
    assert true > 25
    assert 0.6 < share < 1
    wrong, _ = warp_psnr(right[2], view_of(demo, 3, True), frame, demo.depth[2], view_of(demo, 2))
    assert wrong < true - 5


def test_true_views_are_consistent_and_shifted_ones_are_not(demo: SyntheticClip) -> None:
    ours, other = colour_patches(demo.frames[2]), colour_patches(demo.right_frames[2])
    still = ~demo.dynamic[2]
    here, there = view_of(demo, 2), view_of(demo, 2, True)
    true = inconsistency(ours, other, demo.depth[2], here, there, still)
    shifted = inconsistency(ours, other.roll(6, 1), demo.depth[2], here, there, still)
    assert true < 0.25
    assert shifted > true + 0.3
    assert inconsistency(ours, ours, demo.depth[2], here, here) == pytest.approx(0, abs=1e-5)
    assert inconsistency(ours, -ours, demo.depth[2], here, here) == pytest.approx(2, abs=1e-5)
    assert math.isnan(inconsistency(ours, other, 0 * demo.depth[2], here, there))


def test_colour_patches_know_neither_brightness_nor_contrast() -> None:
    frame = (noise(12, 14, 3) * 100 + 50).to(torch.uint8)
    ours = colour_patches(frame)
    assert ours.shape == (12, 14, 3 * PATCH * PATCH)
    # One patch by hand.
    patch = frame[3:8, 5:10].float() / 255
    assert torch.allclose(ours[5, 7].view(3, PATCH, PATCH), (patch - patch.mean((0, 1))).permute(2, 0, 1), atol=1e-6)
    brighter = colour_patches(frame + 40)
    assert torch.allclose(brighter, ours, atol=1e-6)
    assert not colour_patches(torch.full_like(frame, 7)).any()


def test_dino_features_have_the_frames_size_and_the_patches_values() -> None:
    tokens = torch.nn.functional.normalize(noise(3, 4, 8, seed=2), dim=-1)
    features = dino_features(lambda frame: 5 * tokens)(torch.zeros(33, 44, 3, dtype=torch.uint8))
    assert features.shape == (33, 44, 8)
    # In the middle of a patch of eleven pixels, its own; between two, their mean.
    assert torch.allclose(features[16, 16], tokens[1, 1], atol=1e-6)
    between = (features[16, 21] + features[16, 22]) / 2
    assert torch.allclose(between, (tokens[1, 1] + tokens[1, 2]) / 2, atol=1e-6)
