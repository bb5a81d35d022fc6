"""Clips that hold frames nothing links: a cut, a stranger, nothing but strangers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.geometry.se3 import se3_exp, se3_inverse
from neoverse_ns.metrics.camera import ate_percent_of_path
from neoverse_ns.reconstruct import confidence
from neoverse_ns.reconstruct.bundle.cameras.frame_groups import ALONE, solve_groups
from neoverse_ns.reconstruct.bundle.cameras.no_parallax import PRIOR_CONFIDENCE, prior_depth
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.lifting.background import fuse_background
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig, Lifted, lift
from neoverse_ns.reconstruct.bundle.solve import BundleSolution, solve_geometry
from neoverse_ns.reconstruct.split import split_frames
from tests.reconstruct.bundle.scenes import path, room_clip

CONFIG = BundleConfig()
FOCAL = 0.8


def _clip(frames: torch.Tensor) -> Clip:
    n = len(frames)
    return Clip(frames, torch.arange(n), torch.arange(n, dtype=torch.float64), Path("images"))


def _noise(count: int) -> torch.Tensor:
    """Pictures that have nothing in common."""
    small = torch.randint(0, 256, (count, 3, 60, 96), generator=torch.Generator().manual_seed(5)).float()
    big = torch.nn.functional.interpolate(small, (120, 192), mode="bicubic").clamp(0, 255)
    return big.permute(0, 2, 3, 1).byte()


def _solve(frames: torch.Tensor) -> BundleSolution:
    return solve_geometry(_clip(frames), split_frames(len(frames), len(frames), held_out_every=0), CONFIG)


@cache
def _cut() -> tuple[BundleSolution, torch.Tensor]:
    """Six frames of a walk, then four of the same walk seen in a mirror: another place with another way of moving."""
    c2w = path(8)
    frames = room_clip(c2w, FOCAL)[0].frames
    return _solve(torch.cat([frames[:6], frames[4:8].flip(2)])), c2w


def _sound(solution: BundleSolution) -> None:
    geometry = solution.geometry
    assert torch.isfinite(geometry.cameras.c2w).all()
    assert torch.isfinite(geometry.depth).all()
    assert float(geometry.depth.min()) > 0
    json.dumps(geometry.report, allow_nan=False)


def test_after_a_cut_the_larger_part_is_solved_as_if_alone():
    solution, c2w = _cut()
    _sound(solution)
    assert solution.geometry.report["unlinked_frames"] == [6, 7, 8, 9]
    assert solution.geometry.report["kind"] == "parallax"
    assert ate_percent_of_path(solution.geometry.cameras.c2w[:6], c2w[:6].float()) < 1.5
    assert (5, 6) not in solution.flow
    assert (6, 7) in solution.flow


def test_the_smaller_part_starts_where_the_larger_ends_and_moves_as_it_was_seen():
    solution, c2w = _cut()
    cameras = solution.geometry.cameras.c2w.double()
    torch.testing.assert_close(cameras[6], cameras[5])
    mirror = torch.diag(torch.tensor([-1.0, 1, 1, 1], dtype=torch.float64))
    assert ate_percent_of_path(cameras[6:], mirror @ c2w[4:8] @ mirror) < 5
    assert float((solution.geometry.confidence[6:] > PRIOR_CONFIDENCE).float().mean()) > 0.3


def test_the_background_leaves_out_what_is_placed_by_guess():
    solution, _ = _cut()
    frames = room_clip(path(8), FOCAL)[0].frames
    clip = _clip(torch.cat([frames[:6], frames[4:8].flip(2)]))
    lifted = lift(clip, solution.geometry, {}, LiftConfig())
    # The colour says which keyframe each one comes from.
    origins = lifted.gaussians.keyframe[:, None, None].expand(-1, 1, 3).float()
    lifted = Lifted(lifted.gaussians.with_(sh=origins), lifted.pixels)
    origin = fuse_background(clip, solution.geometry, lifted).sh.unique().tolist()
    assert origin
    assert set(origin) <= {0, 1, 2, 3, 4, 5}


def test_a_stranger_stands_between_its_neighbours_with_assumed_depth(monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    monkeypatch.setattr(confidence, "warn", said.append)
    c2w = path(6)
    frames = room_clip(c2w, FOCAL)[0].frames
    solution = _solve(torch.cat([frames[:3], _noise(1), frames[3:]]))
    _sound(solution)
    geometry = solution.geometry
    assert geometry.report["unlinked_frames"] == [3]
    assert sum("1 of 7 frames (positions 3)" in line for line in said) == 1
    centres = geometry.cameras.c2w[:, :3, 3]
    torch.testing.assert_close(centres[3], (centres[2] + centres[4]) / 2, atol=1e-5, rtol=0)
    linked = [0, 1, 2, 4, 5, 6]
    assert ate_percent_of_path(geometry.cameras.c2w[linked], c2w.float()) < 1.5
    shape = prior_depth(120, 192)
    torch.testing.assert_close(geometry.depth[3] / geometry.depth[3].median(), shape / shape.median())
    assert 0.3 < float(geometry.depth[3].median() / geometry.depth[linked].median()) < 3
    assert torch.equal(geometry.confidence[3], torch.full((120, 192), PRIOR_CONFIDENCE))
    assert not geometry.dynamic[3].any()


def test_strangers_alone_stand_still():
    solution = _solve(_noise(3))
    _sound(solution)
    assert solution.geometry.report["kind"] == "single"
    assert solution.geometry.report["reason"] == ALONE
    assert solution.geometry.report["unlinked_frames"] == [1, 2]
    torch.testing.assert_close(solution.geometry.cameras.c2w, torch.eye(4).repeat(3, 1, 1))


def test_groups_are_solved_apart_with_one_lens_and_placed():
    asked: list[tuple[list[float], float | None]] = []

    def solve(flow: FlowField, clip: Clip, config: BundleConfig) -> tuple[State, dict[str, Any]]:
        n = len(clip)
        assert all(max(pair) < n for pair in flow.pairs)
        asked.append((clip.seconds.tolist(), config.fov_degrees))
        step = torch.tensor([0.1 * n, 0, 0.2, 0, 0.05, 0], dtype=torch.float64)
        poses = torch.stack([se3_exp(k * step) for k in range(n)])
        state = State(poses, torch.ones(n, 4, dtype=torch.float64), torch.full((n,), 0.5, dtype=torch.float64))
        return state, {"kind": "parallax" if n == 3 else "rotation"}

    zero = np.zeros((4, 4, 2), np.float32)
    pairs = [(0, 1), (1, 5), (3, 4)]
    pairs += [(j, i) for i, j in pairs]
    flow = FlowField(dict.fromkeys(pairs, zero), dict.fromkeys(pairs, zero[..., 0]))
    groups = solve_groups(flow, _clip(_noise(6)), CONFIG, solve)
    assert asked == [([0, 1, 5], None), ([3, 4], pytest.approx(90))]
    assert groups.unlinked == [2, 3, 4]
    # The pair of a group that only turns says nothing about depth.
    assert groups.flow.pairs == [(0, 1), (1, 0), (1, 5), (5, 1)]
    centres = se3_inverse(groups.state.poses)[:, :3, 3]
    for frame, share in ((2, 0.25), (3, 0.5)):
        torch.testing.assert_close(centres[frame], torch.lerp(centres[1], centres[5], share))
    step = torch.tensor([0.2, 0, 0.2, 0, 0.05, 0], dtype=torch.float64)
    torch.testing.assert_close(groups.state.poses[4], se3_exp(step) @ groups.state.poses[3])
