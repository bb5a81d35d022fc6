"""Relative poses of matches against exact cameras."""

from __future__ import annotations

import numpy as np
import torch

from neoverse_ns.reconstruct.bundle.cameras.matched_poses import match_near_frames
from neoverse_ns.reconstruct.bundle.flow.dense_flow import to_gray
from tests.reconstruct.bundle.scenes import path, room_clip


def test_matches_tell_turn_and_direction_both_ways():
    c2w = path(3, move=0.25, turn=6.0)
    clip, _ = room_clip(c2w, 0.8, height=240, width=384)
    found = match_near_frames(to_gray(clip.frames.numpy()))
    for i, j in ((0, 1), (1, 2), (2, 0)):
        relative = found.pose((i, j), 0.8, seed=0)
        assert relative is not None
        truth = torch.linalg.inv(c2w[j]) @ c2w[i]
        off = relative[:3, :3] @ truth[:3, :3].T
        angle = np.degrees(np.arccos(np.clip((float(off.trace()) - 1) / 2, -1, 1)))
        along = float(relative[:3, 3] @ truth[:3, 3] / truth[:3, 3].norm())
        assert angle < 0.5
        assert along > np.cos(np.radians(6))


def test_frames_far_apart_and_plain_ones_say_nothing():
    clip, _ = room_clip(path(5), 0.8)
    found = match_near_frames(to_gray(clip.frames.numpy()))
    assert found.pose((0, 4), 0.8, seed=0) is None
    plain = match_near_frames([np.full((96, 128), 90, np.uint8)] * 2)
    assert plain.pose((0, 1), 0.8, seed=0) is None
