"""Scenes between cameras that the user knows: nothing of them moves, depth comes in their unit."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.export.camera_files import cameras_json
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import so3_exp
from neoverse_ns.reconstruct.bundle.cameras.given import given_cameras
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.bundle.reconstructor import BundleReconstructor
from neoverse_ns.reconstruct.bundle.solve import BundleSolution, find_cameras, solve_geometry
from neoverse_ns.reconstruct.given_world import cameras_given, given_world
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.priors.load import ClipPriors
from neoverse_ns.reconstruct.split import split_frames
from tests.reconstruct.bundle.scenes import path, room_clip

CONFIG = BundleConfig()
FOCAL, HEIGHT, WIDTH = 0.8, 96, 144
WORLD = Sim3(
    torch.tensor(5.0, dtype=torch.float64),
    so3_exp(torch.tensor([0.4, -1.0, 0.3], dtype=torch.float64)),
    torch.tensor([2000.0, -300.0, 40.0], dtype=torch.float64),
)
"""Where the given cameras live: turned, five times as large, far from the origin."""


def _K(width: int, height: int, count: int) -> torch.Tensor:
    K = torch.tensor([[FOCAL * WIDTH, 0, width / 2], [0, FOCAL * WIDTH, height / 2], [0, 0, 1]], dtype=torch.float64)
    return K.repeat(count, 1, 1)


@cache
def _room(frames: int = 5, move: float = 0.08) -> tuple[Clip, torch.Tensor, torch.Tensor]:
    """Frames, cameras in the given world, true depth in its unit."""
    c2w = path(frames, move=move)
    clip, depth = room_clip(c2w, FOCAL, HEIGHT, WIDTH)
    return clip, WORLD.apply_c2w(c2w), 5 * depth


def _solve(clip: Clip, priors: ClipPriors) -> BundleSolution:
    split = split_frames(len(clip), held_out_every=0)
    return solve_geometry(clip, split, CONFIG, given_cameras(priors, clip))


def _assert_given(solution: BundleSolution, c2w: torch.Tensor) -> Sim3:
    """The scene's cameras are the given ones, in the scene's own convention."""
    geometry = solution.geometry
    world = given_world(geometry.report)
    assert world is not None
    assert cameras_given(geometry.report)
    torch.testing.assert_close(geometry.cameras.c2w.double(), world.apply_c2w(c2w), atol=1e-5, rtol=0)
    assert torch.equal(geometry.cameras.c2w[0], torch.eye(4))
    assert float(geometry.depth.median()) == pytest.approx(1, rel=1e-4)
    json.dumps(geometry.report, allow_nan=False)
    return world


def test_depth_comes_in_the_given_unit() -> None:
    clip, c2w, depth = _room()
    solution = _solve(clip, ClipPriors(c2w, _K(WIDTH, HEIGHT, len(clip))))
    world = _assert_given(solution, c2w)
    geometry = solution.geometry
    assert geometry.report["kind"] == "parallax"
    assert geometry.report["focal_from"] == "given"
    ratio = geometry.depth / float(world.scale) / depth[geometry.keyframes]
    trusted = geometry.confidence > 0.5
    assert float(trusted.float().mean()) > 0.4
    assert float(ratio[trusted].median()) == pytest.approx(1, abs=0.015)
    # Of every keyframe by itself, too: none has a scale of its own.
    for one, sure in zip(ratio, trusted, strict=True):
        assert float(one[sure].median()) == pytest.approx(1, abs=0.03)


def test_a_principal_point_off_the_middle_is_kept() -> None:
    """The left two thirds of the same pictures, whose axis runs through another place."""
    clip, c2w, depth = _room()
    width = 96
    K = _K(width, HEIGHT, len(clip))
    K[:, 0, 2] = WIDTH / 2
    cut = replace(clip, frames=clip.frames[:, :, :width].contiguous())
    solution = _solve(cut, ClipPriors(c2w, K))
    world = _assert_given(solution, c2w)
    geometry = solution.geometry
    torch.testing.assert_close(geometry.cameras.K.double(), K, atol=1e-4, rtol=0)
    ratio = geometry.depth / float(world.scale) / depth[geometry.keyframes][..., :width]
    trusted = geometry.confidence > 0.5
    assert float(ratio[trusted].median()) == pytest.approx(1, abs=0.02)
    assert float((ratio[trusted] - 1).abs().mean()) < 0.06


def test_poses_without_a_lens_leave_the_focal_length_to_the_flow() -> None:
    clip, c2w, _ = _room()
    split = split_frames(len(clip), held_out_every=0)
    solved = find_cameras(clip, split, CONFIG, given_cameras(ClipPriors(c2w), clip))
    assert solved.facts["focal_from"] == "measured"
    assert solved.facts["focal_px"] == pytest.approx(FOCAL * WIDTH, rel=0.03)


def test_two_frames_are_enough() -> None:
    clip, c2w, depth = _room()
    pair = clip.part([0, 2])
    solution = _solve(pair, ClipPriors(c2w[[0, 2]], _K(WIDTH, HEIGHT, 2)))
    world = _assert_given(solution, c2w[[0, 2]])
    ratio = solution.geometry.depth / float(world.scale) / depth[[0, 2]]
    assert solution.geometry.report["kind"] == "parallax"
    assert float(ratio.median()) == pytest.approx(1, abs=0.03)


def test_a_tripod_and_a_single_picture_have_guessed_depth_and_say_so() -> None:
    clip, c2w, _ = _room(4, 0.0)
    still = replace(clip, frames=clip.frames[:1].repeat(4, 1, 1, 1))
    tripod = c2w[:1].repeat(4, 1, 1)
    solution = _solve(still, ClipPriors(tripod, _K(WIDTH, HEIGHT, 4)))
    _assert_given(solution, tripod)
    assert solution.geometry.report["kind"] == "static"
    assert any("depth is a guess" in doubt for doubt in solution.geometry.report["doubts"])
    single = _solve(still.part([0]), ClipPriors(tripod[:1], _K(WIDTH, HEIGHT, 1)))
    _assert_given(single, tripod[:1])
    assert single.geometry.report["kind"] == "single"


def test_cameras_of_something_else_are_doubted() -> None:
    clip, c2w, _ = _room()
    split = split_frames(len(clip), held_out_every=0)
    wrong = c2w.flip(0) @ torch.diag(torch.tensor([1.0, -1, -1, 1], dtype=torch.float64))
    known = ClipPriors(wrong, _K(WIDTH, HEIGHT, len(clip)))
    solved = find_cameras(clip, split, CONFIG, given_cameras(known, clip))
    assert solved.facts["confidence"] == "poor"
    assert "--priors.match" in solved.facts["doubts"][0]


def test_users_files_lead_there(tmp_path: Path) -> None:
    clip, c2w, _ = _room()
    cameras = PinholeCameras(c2w, _K(WIDTH, HEIGHT, len(clip)), WIDTH, HEIGHT)
    file = tmp_path / "cameras.json"
    file.write_text(json.dumps(cameras_json(cameras, clip.frame_indices, clip.seconds, [], {})), "utf8")
    reconstructor = BundleReconstructor(CONFIG, LiftConfig(), PriorsConfig(cameras=file))
    scene = reconstructor.reconstruct(clip, split_frames(len(clip), held_out_every=0))
    world = given_world(scene.report)
    assert world is not None
    torch.testing.assert_close(scene.cameras.c2w.double(), world.apply_c2w(c2w), atol=1e-5, rtol=0)
    assert scene.gaussians.count > 0
