"""The camera solve does not hang on one start."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.metrics.camera import ate
from neoverse_ns.reconstruct.bundle.cameras import parallax as cameras
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.flow.dense_flow import measure_flow, to_gray
from neoverse_ns.reconstruct.bundle.flow.frame_pairs import pair_graph
from neoverse_ns.reconstruct.split import split_frames
from tests.reconstruct.bundle.scenes import path, room_clip


def test_rotations_alone_are_a_start_where_essential_matrices_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def astray(observations: Observations, focal: float, seed: int) -> State:
        """Every camera half a turn from the one before, looking away from what it sees."""
        poses = torch.eye(4, dtype=torch.float64).repeat(observations.frames, 1, 1)
        poses[1::2] = poses[1::2] @ torch.diag(torch.tensor([-1.0, 1.0, -1.0, 1.0], dtype=torch.float64))
        depth = torch.ones(observations.frames, len(observations.points), dtype=torch.float64)
        return State(poses, depth, torch.full((len(poses),), focal, dtype=torch.float64))

    monkeypatch.setattr(cameras, "two_view_start", astray)
    c2w = path(8)
    clip, _ = room_clip(c2w, focal=0.8)
    config = BundleConfig()
    pairs = pair_graph(split_frames(8, held_out_every=0), config.gaps)
    flow = measure_flow(to_gray(clip.frames.numpy()), pairs, config.flow_noise)
    solution, _ = cameras.solve_cameras(flow, 8, config)
    assert ate(se3_inverse(solution.state.poses), c2w).percent_of_path < 1.5
    assert solution.state.mean_focal == pytest.approx(0.8, rel=0.1)
