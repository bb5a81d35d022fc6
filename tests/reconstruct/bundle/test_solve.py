"""The whole geometry solve on rendered rooms with exact cameras, on clips without parallax, and on a real clip."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.synthetic import render_synthetic
from neoverse_ns.errors import SettingsError
from neoverse_ns.metrics.camera import ate_percent_of_path
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.flow.dense_flow import measure_flow, to_gray
from neoverse_ns.reconstruct.bundle.flow.frame_pairs import pair_graph
from neoverse_ns.reconstruct.bundle.solve import BundleSolution, solve_geometry
from neoverse_ns.reconstruct.bundle.surfaces import keyframe_surfaces
from neoverse_ns.reconstruct.split import split_frames
from tests.reconstruct.bundle.scenes import path, room_clip
from tests.shared import shared_file

CONFIG = BundleConfig()
FOCAL = 0.8


@cache
def _walk() -> tuple[Clip, torch.Tensor, torch.Tensor, BundleSolution]:
    c2w = path(8)
    clip, depth = room_clip(c2w, FOCAL)
    return clip, c2w, depth, solve_geometry(clip, split_frames(8, held_out_every=0), CONFIG)


def _assert_sound(solution: BundleSolution, clip: Clip, linked: int | None = None) -> None:
    """Finite, positive, normalised; flow both ways between the first `linked` keyframes, by default all."""
    linked = linked or len(solution.geometry.keyframes)
    geometry = solution.geometry
    assert torch.isfinite(geometry.cameras.c2w).all()
    assert torch.isfinite(geometry.depth).all()
    assert float(geometry.depth.min()) > 0
    assert float(geometry.confidence.min()) >= 0
    assert float(geometry.confidence.max()) <= 1
    assert torch.equal(geometry.cameras.c2w[0], torch.eye(4))
    assert float(geometry.depth.median()) == pytest.approx(1, rel=1e-4)
    assert geometry.depth.shape == (len(geometry.keyframes), clip.height, clip.width)
    json.dumps(geometry.report, allow_nan=False)
    steps = {(i, j) for a, b in pairwise(geometry.keyframes[:linked]) for i, j in ((a, b), (b, a))}
    assert steps <= set(solution.flow)
    assert len(solution.flow) <= 2 * len(steps)
    assert linked == len(geometry.keyframes) or set(solution.flow) == steps


def test_walk_recovers_cameras_focal_and_depth():
    clip, c2w, depth, solution = _walk()
    _assert_sound(solution, clip)
    geometry = solution.geometry
    assert geometry.report["kind"] == "parallax"
    assert ate_percent_of_path(geometry.cameras.c2w, c2w.float()) < 1.0
    assert float(geometry.cameras.K[0, 0, 0]) / clip.width == pytest.approx(FOCAL, rel=0.08)
    truth = depth[geometry.keyframes]
    scaled = geometry.depth * (truth / geometry.depth).median()
    trusted = geometry.confidence > 0.5
    assert float(trusted.float().mean()) > 0.5
    assert float((scaled / truth - 1).abs()[trusted].mean()) < 0.06
    assert geometry.report["residual_px"] < 0.5


def test_focal_length_is_not_biased_by_depth_edges_and_moving_things():
    """Smoothed depth and coarse flow each used to lengthen it by several percent."""
    truth = render_synthetic(12, width=256, height=160, seed=1)
    solution = solve_geometry(truth.as_clip(), split_frames(12, held_out_every=0), CONFIG)
    geometry = solution.geometry
    assert float(geometry.cameras.K[0, 0, 0]) == pytest.approx(float(truth.cameras.K[0, 0, 0]), rel=0.01)
    assert ate_percent_of_path(geometry.cameras.c2w, truth.cameras.c2w.float()) < 0.1
    still = ~truth.dynamic[geometry.keyframes]
    ratio = (geometry.depth / truth.depth[geometry.keyframes])[still]
    assert float((ratio / ratio.median() - 1).abs().mean()) < 0.06


def test_given_field_of_view_is_kept():
    clip, c2w, _, _ = _walk()
    solution = solve_geometry(clip, split_frames(8, held_out_every=0), replace(CONFIG, fov_degrees=70.0))
    expected = 0.5 / np.tan(np.radians(35)) * clip.width
    assert float(solution.geometry.cameras.K[0, 0, 0]) == pytest.approx(expected, rel=1e-5)
    assert solution.geometry.report["focal_from"] == "given"
    assert ate_percent_of_path(solution.geometry.cameras.c2w, c2w.float()) < 3.0


def test_same_clip_same_bits():
    clip, _, _, first = _walk()
    second = solve_geometry(clip, split_frames(8, held_out_every=0), CONFIG)
    assert torch.equal(first.geometry.cameras.c2w, second.geometry.cameras.c2w)
    assert torch.equal(first.geometry.depth, second.geometry.depth)
    assert torch.equal(first.geometry.dynamic, second.geometry.dynamic)


def test_held_out_pixels_have_no_influence_on_surfaces():
    clip, c2w, _, _ = _walk()
    split = split_frames(8, held_out_every=4)
    assert split.held_out == [2, 6]
    noisy = clip.frames.clone()
    noisy[split.held_out] = torch.randint(
        0, 256, noisy[split.held_out].shape, generator=torch.Generator().manual_seed(0)
    ).byte()
    state = State(torch.linalg.inv(c2w), torch.ones(8, 1, dtype=torch.float64), torch.full((8,), FOCAL).double())
    results = []
    for frames in (clip.frames, noisy):
        one = replace(clip, frames=frames)
        flow = measure_flow(to_gray(frames.numpy()), pair_graph(split, CONFIG.gaps), CONFIG.flow_noise)
        results.append((keyframe_surfaces(one, split, flow, state, True, CONFIG), flow))
    (first, flow_a), (second, flow_b) = results
    assert torch.equal(first.depth, second.depth)
    assert torch.equal(first.confidence, second.confidence)
    assert torch.equal(first.dynamic, second.dynamic)
    for pair in flow_a.between(split.train).pairs:
        np.testing.assert_array_equal(flow_a.flow[pair], flow_b.flow[pair])
    assert not np.array_equal(flow_a.flow[1, 2], flow_b.flow[1, 2])


def test_mover_is_found_before_a_still_camera():
    clip, _ = room_clip(torch.eye(4).double().repeat(6, 1, 1), FOCAL, mover=True)
    solution = solve_geometry(clip, split_frames(6, held_out_every=0), CONFIG)
    _assert_sound(solution, clip)
    geometry = solution.geometry
    assert geometry.report["kind"] == "static"
    assert "no parallax" in geometry.report["reason"]
    assert torch.equal(geometry.cameras.c2w, torch.eye(4).repeat(6, 1, 1))
    for number, frame in enumerate(geometry.keyframes):
        truth = torch.zeros(clip.height, clip.width, dtype=torch.bool)
        left = 20 + 6 * frame
        truth[clip.height // 3 : 2 * (clip.height // 3), left : left + clip.width // 5] = True
        assert float((geometry.dynamic[number] & truth).sum()) > 0.8 * float(truth.sum())
        assert float((geometry.dynamic[number] & ~truth).float().mean()) < 0.1
    assert geometry.things is not None
    assert torch.equal(geometry.things > 0, geometry.dynamic)


def test_turning_camera_has_rotations_and_focal_but_no_translation():
    c2w = path(8, move=0.0, turn=4.0)
    clip, _ = room_clip(c2w, FOCAL)
    solution = solve_geometry(clip, split_frames(8, held_out_every=0), CONFIG)
    _assert_sound(solution, clip)
    cameras = solution.geometry.cameras
    assert solution.geometry.report["kind"] == "rotation"
    assert float(cameras.c2w[:, :3, 3].abs().max()) == 0
    truth = torch.linalg.inv(c2w[0]) @ c2w
    cosine = (torch.einsum("nij,nij->n", cameras.c2w[:, :3, :3].double(), truth[:, :3, :3]) - 1) / 2
    assert float(torch.rad2deg(torch.arccos(cosine.clamp(-1, 1))).max()) < 0.5
    assert float(cameras.K[0, 0, 0]) / clip.width == pytest.approx(FOCAL, rel=0.05)


@pytest.mark.parametrize("shape", [(40, 64), (1, 1), (13, 300)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_grey_frames_of_any_size_are_static(count: int, shape: tuple[int, int]):
    frames = torch.full((count, *shape, 3), 128, dtype=torch.uint8)
    clip = Clip(frames, torch.arange(count), torch.arange(count, dtype=torch.float64), Path("grey"))
    solution = solve_geometry(clip, split_frames(count, held_out_every=0), CONFIG)
    _assert_sound(solution, clip)
    assert solution.geometry.report["kind"] == ("single" if count == 1 else "static")
    assert not solution.geometry.dynamic.any()


def test_noise_frames_stay_finite():
    frames = torch.randint(0, 256, (4, 64, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    clip = Clip(frames, torch.arange(4), torch.arange(4, dtype=torch.float64), Path("noise"))
    solution = solve_geometry(clip, split_frames(4, held_out_every=0), CONFIG)
    _assert_sound(solution, clip, linked=1)
    assert solution.geometry.report["unlinked_frames"] == [1, 2, 3]


def test_two_frames_give_the_direction_of_motion():
    c2w = path(5)[[0, 4]]
    clip, _ = room_clip(c2w, FOCAL)
    solution = solve_geometry(clip, split_frames(2, held_out_every=0), replace(CONFIG, fov_degrees=64.01))
    _assert_sound(solution, clip)
    truth = (torch.linalg.inv(c2w[0]) @ c2w[1])[:3, 3]
    found = solution.geometry.cameras.c2w[1, :3, 3].double()
    assert float(found @ truth / found.norm() / truth.norm()) > 0.99


def test_settings_and_split_are_checked():
    clip, *_ = _walk()
    with pytest.raises(SettingsError, match="made for 5 frames"):
        solve_geometry(clip, split_frames(5), CONFIG)
    for change in (
        {"fov_degrees": 200.0},
        {"gaps": (2, 4)},
        {"fine_stride": 0},
        {"flow_noise": float("nan")},
        {"focal_guesses": ()},
        {"kernel_narrow": 0.0},
        {"no_parallax_inliers": 1.5},
    ):
        with pytest.raises(SettingsError):
            replace(CONFIG, **change).validate()


def test_real_walk_is_solved_to_a_fraction_of_a_percent():
    folder = shared_file("clips/trulli_village")
    clip = load_clip(folder / "clip.mp4", ClipConfig(start=2.0, duration=3.0, num_frames=16, width=384))
    solution = solve_geometry(clip, split_frames(len(clip), held_out_every=8), CONFIG)
    _assert_sound(solution, clip)
    reference = np.load(folder / "cameras.npz")
    found = solution.geometry.cameras.c2w[:, :3, 3].numpy()
    centres = np.stack(
        [np.interp(clip.frame_indices, reference["frame_index"], reference["c2w"][:, k, 3]) for k in range(3)], 1
    )
    truth = torch.eye(4).repeat(len(clip), 1, 1)
    truth[:, :3, 3] = torch.from_numpy(centres)
    estimate = torch.eye(4).repeat(len(clip), 1, 1)
    estimate[:, :3, 3] = torch.from_numpy(found)
    assert ate_percent_of_path(estimate, truth) < 0.5
    assert float(solution.geometry.cameras.K[0, 0, 0]) / clip.width == pytest.approx(
        float(reference["fx_over_width"][0]), rel=0.2
    )


def test_a_bent_lens_is_straightened_and_told():
    c2w = path(8)
    wide, _ = room_clip(c2w, FOCAL, height=160, width=256)
    y, x = np.mgrid[:120, :192].astype(np.float32) + 0.5 - np.reshape([60, 96], (2, 1, 1)).astype(np.float32)
    bent = 1 + 0.4 * (x * x + y * y) / (FOCAL * 256) ** 2
    frames = [
        cv2.remap(f, x * bent + 127.5, y * bent + 79.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        for f in wide.frames.numpy()
    ]
    clip = replace(wide, frames=torch.from_numpy(np.stack(frames)))
    solution = solve_geometry(clip, split_frames(8, held_out_every=0), replace(CONFIG, lens="radial"))
    report = solution.geometry.report
    assert report["lens"] == "radial"
    assert report["source_lens"]["radial"] == pytest.approx(0.4, abs=0.12)
    assert report["source_lens"]["focal_px"] == pytest.approx(FOCAL * 256, rel=0.08)
    assert solution.clip is not clip
    assert not torch.equal(solution.clip.frames, clip.frames)
    assert ate_percent_of_path(solution.geometry.cameras.c2w, c2w) < 1.5


def test_a_zoom_on_the_way_is_told_frame_by_frame():
    c2w, focal = path(8, move=0.15, turn=3.0), FOCAL * 1.5 ** np.linspace(0, 1, 8)
    frames = [room_clip(c2w[k : k + 1], float(focal[k]))[0].frames for k in range(8)]
    clip = replace(_walk()[0], frames=torch.cat(frames))
    geometry = solve_geometry(clip, split_frames(8, held_out_every=0), CONFIG).geometry
    assert geometry.report["lens"] == "zoom"
    found = geometry.cameras.K[:, 0, 0] / clip.width
    np.testing.assert_allclose(found[-1] / found[0], 1.5, rtol=0.05)
    assert ate_percent_of_path(geometry.cameras.c2w, c2w) < 6


def test_a_zoom_from_one_place_is_no_travel():
    standing = torch.eye(4, dtype=torch.float64).repeat(8, 1, 1)
    frames = [room_clip(standing[:1], FOCAL * 1.5 ** (k / 7))[0].frames for k in range(8)]
    clip = replace(_walk()[0], frames=torch.cat(frames))
    geometry = solve_geometry(clip, split_frames(8, held_out_every=0), CONFIG).geometry
    assert geometry.report["kind"] == "zoom"
    assert float(geometry.cameras.c2w[:, :3, 3].norm(dim=1).max()) < 1e-6
    assert float(geometry.cameras.K[-1, 0, 0] / geometry.cameras.K[0, 0, 0]) == pytest.approx(1.5, rel=0.03)
