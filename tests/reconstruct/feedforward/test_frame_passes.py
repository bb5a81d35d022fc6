"""Passes over the frames between keyframes."""

from __future__ import annotations

import pytest

from neoverse_ns.reconstruct.feedforward.frame_passes import camera_passes
from neoverse_ns.reconstruct.frame_windows import owned_frames, plan_windows


@pytest.mark.parametrize(
    ("count", "every", "window"), [(81, 8, 81), (81, 8, 40), (200, 3, 24), (30, 1, 8), (40, 39, 6)]
)
def test_every_other_frame_is_found_once(count: int, every: int, window: int) -> None:
    keyframes = list(range(0, count, every))
    windows = plan_windows(len(keyframes), window, 2)
    found: list[int] = []
    for seen, own in zip(windows, owned_frames(windows), strict=True):
        # Gaussians of a keyframe need its neighbours in the same window.
        assert {max(own.start - 1, 0), min(own.stop, len(keyframes) - 1)} <= set(seen)
        for each in camera_passes(seen, own, keyframes, count, window):
            assert len(each.anchors) + len(each.frames) <= window
            assert set(each.anchors) <= set(seen)
            # The frames lie between anchors wherever the window has keyframes around them.
            before = [k for k in seen if keyframes[k] < each.frames[0]]
            after = [k for k in seen if keyframes[k] > each.frames[-1]]
            assert not before or max(before) in each.anchors
            assert not after or min(after) in each.anchors
            found += each.frames
    assert sorted(found + keyframes) == list(range(count))


def test_everything_in_one_pass_where_it_fits() -> None:
    keyframes = [0, 8, 16]
    (only,) = camera_passes(range(3), range(3), keyframes, 17, 20)
    assert only.anchors == [0, 1, 2]
    assert only.frames == [f for f in range(17) if f % 8]
    assert camera_passes(range(5), range(5), list(range(5)), 5, 20) == []
