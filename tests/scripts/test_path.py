"""The benchmark's path through a 4D scene."""

from __future__ import annotations

import torch
from _benchmark.path import KEYFRAMES, PathTiming, path_cameras, path_scene, time_path

from neoverse_ns.gaussians.layers import BACKGROUND
from neoverse_ns.gaussians.transition import alive_at
from neoverse_ns.rasterize.layers import draw_layers


def test_the_scene_covers_the_path_and_a_fifth_of_it_lives_at_a_time() -> None:
    scene, cameras = path_scene(48, 32), path_cameras(9, 48, 32)
    assert scene.count == (KEYFRAMES + 1) * 48 * 32
    for place, moment in enumerate(torch.linspace(0, 1, 9).tolist()):
        alive = sum(int(alive_at(layer, moment).sum()) for layer in scene.values())
        assert 2 <= alive / (48 * 32) <= 3
        view = cameras[[place]]
        drawn = draw_layers(scene, moment, view.viewmats, view.K, 48, 32)
        assert (drawn.alpha > 0.5).float().mean() > 0.85
        assert 0.5 < drawn.depth[drawn.alpha > 0.5].median() < 1.6
    assert scene.frames.dynamic.all()
    assert not scene[BACKGROUND].dynamic.any()


def test_timing_counts_frames_against_their_playing_time() -> None:
    timing = time_path(path_scene(24, 16), path_cameras(3, 24, 16))
    assert timing.frames == 3
    assert timing.gaussians == (KEYFRAMES + 1) * 24 * 16
    assert 0 < timing.transition_ms < 1e3 * timing.total_s
    assert timing.frame_ms <= 1e3 * timing.total_s
    assert timing.cpu_s > 0
    assert PathTiming(48, 1, 1.0, 1.0, 1.0, 4.0, 4.0).real_time == 0.5
