"""Black frames are no evidence: the others are solved as if they were not there."""

from __future__ import annotations

import numpy as np
import torch

from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.metrics.camera import ate_percent_of_path
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.flow.blank_frames import without_blank_frames
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.solve import solve_geometry
from neoverse_ns.reconstruct.split import split_frames
from tests.reconstruct.bundle.scenes import path, room_clip


def test_pairs_of_blank_frames_are_dropped() -> None:
    rng = np.random.default_rng(0)
    gray = [rng.integers(0, 255, (32, 48)).astype(np.uint8) for _ in range(3)]
    gray[1] = np.full_like(gray[1], 16)
    pairs = [(0, 1), (1, 2), (0, 2)]
    field = FlowField({p: np.zeros((32, 48, 2)) for p in pairs}, {p: np.ones((32, 48)) for p in pairs})
    assert without_blank_frames(field, gray).pairs == [(0, 2)]
    assert without_blank_frames(field, [gray[1]] * 3).pairs == field.pairs


def test_cameras_around_black_frames() -> None:
    c2w = path(10)
    clip = room_clip(c2w, 0.8)[0]
    clip.frames[0] = clip.frames[5] = 0
    geometry = solve_geometry(clip, split_frames(10, held_out_every=0), BundleConfig()).geometry
    assert geometry.report["unlinked_frames"] == [0, 5]
    seen = [1, 2, 3, 4, 6, 7, 8, 9]
    found = geometry.cameras.c2w.double()
    assert ate_percent_of_path(found[seen], c2w[seen].double()) < 1.0
    # In the middle half-way, at the end onwards by the same step as after it.
    torch.testing.assert_close(found[5, :3, 3], (found[4, :3, 3] + found[6, :3, 3]) / 2, atol=1e-4, rtol=0)
    onwards = se3_inverse(found[0]) @ found[1], se3_inverse(found[1]) @ found[2]
    torch.testing.assert_close(*onwards, atol=1e-3, rtol=0)
