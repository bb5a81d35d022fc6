"""Held-out frames, measured."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.metrics.image import psnr
from neoverse_ns.optimise.held_out import held_out_psnr
from neoverse_ns.rasterize.along import views_along
from tests.reconstruct.small_scene import small_scene


def test_it_is_the_mean_over_the_frames_held_out_and_their_pixels_of_the_world() -> None:
    scene = small_scene()
    (frame,) = scene.split.held_out
    assert scene.gaussians is not None
    cameras, times = scene.geometry.cameras[[frame]], scene.clip.times[[frame]]
    (view,) = views_along(scene.gaussians, cameras, times)
    truth = scene.clip.frames[frame].float() / 255
    expected = psnr(view.drawing.rgb[0].clamp(0, 1), truth)
    assert held_out_psnr(scene) == pytest.approx(expected, abs=1e-6)
    # Other frames lend nothing; pixels that are no part of the world do not count.
    frames = scene.clip.frames.clone()
    frames[scene.split.train] = 0
    assert held_out_psnr(dataclasses.replace(scene, clip=dataclasses.replace(scene.clip, frames=frames))) == (
        pytest.approx(expected, abs=1e-6)
    )
    frames[frame, :, :10] = 255
    ignored = torch.zeros(frames.shape[:3], dtype=torch.bool)
    ignored[:, :, :10] = True
    masked = dataclasses.replace(scene, clip=dataclasses.replace(scene.clip, frames=frames, ignored=ignored))
    inside = psnr(view.drawing.rgb[0].clamp(0, 1), truth, ~ignored[0])
    assert held_out_psnr(masked) == pytest.approx(inside, abs=1e-6)


def test_nothing_held_out_is_no_number() -> None:
    scene = small_scene()
    whole = dataclasses.replace(scene.split, train=list(range(len(scene.clip))), held_out=[])
    assert held_out_psnr(dataclasses.replace(scene, split=whole)) is None
