"""Windows cover a clip evenly, and windows of different worlds and units meet exactly."""

import itertools
import math

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.se3 import se3_exp, so3_exp
from neoverse_ns.reconstruct.frame_windows import chain_windows, join_similarity, owned_frames, plan_windows


@pytest.mark.parametrize(("count", "length", "overlap"), [(81, 32, 8), (33, 32, 4), (100, 16, 15), (7, 3, 1)])
def test_windows_cover_the_clip(count: int, length: int, overlap: int) -> None:
    windows = plan_windows(count, length, overlap)
    assert windows[0].start == 0
    assert windows[-1].stop == count
    assert all(len(w) == length for w in windows)
    assert all(a.stop - b.start >= overlap for a, b in itertools.pairwise(windows))
    assert len(windows) == 1 + math.ceil((count - length) / (length - overlap))
    owned = owned_frames(windows)
    assert [f for part in owned for f in part] == list(range(count))
    assert all(set(part) <= set(window) for part, window in zip(owned, windows, strict=True))
    # A seam lies in the middle of what is shared: no frame is owned at a window's very edge where there are others.
    for a, b, part in zip(windows, windows[1:], owned, strict=False):
        assert abs((a.stop - part.stop) - (part.stop - b.start)) <= 1


def test_a_clip_that_fits_is_one_window() -> None:
    assert plan_windows(32, 32, 8) == [range(32)]
    assert plan_windows(1, 2, 1) == [range(1)]
    assert owned_frames([range(5)]) == [range(5)]


@pytest.mark.parametrize("overlap", [0, 8, 9])
def test_windows_that_cannot_be_joined_are_refused(overlap: int) -> None:
    with pytest.raises(SettingsError, match="overlap"):
        plan_windows(20, 8, overlap)


def _cameras(count: int, still: bool = False) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    twists = torch.randn(count, 6, generator=generator, dtype=torch.float64)
    if still:
        twists[:, :3] = 0
    return se3_exp(twists * torch.tensor([1.0, 1.0, 1.0, 0.3, 0.3, 0.3], dtype=torch.float64))


def _world(k: int) -> Sim3:
    turn = torch.tensor([0.4 * k, -0.9, 0.2 + k], dtype=torch.float64)
    return Sim3(torch.tensor(0.5 + 0.7 * k, dtype=torch.float64), so3_exp(turn), turn.flip(0) * 3)


@pytest.mark.parametrize("still", [False, True])
def test_windows_meet_in_the_first_ones_world(still: bool) -> None:
    """Also before a camera that does not move, where only depth tells the unit."""
    c2w, depth = _cameras(20, still), 1 + torch.rand(20, 4, 5, dtype=torch.float64)
    windows = plan_windows(20, 8, 3)
    assert len(windows) > 3
    seen = [(_world(k).apply_c2w(c2w[list(w)]), _world(k).scale * depth[list(w)]) for k, w in enumerate(windows)]
    found = chain_windows(windows, [c for c, _ in seen], [d for _, d in seen])
    for k, (window, similarity) in enumerate(zip(windows, found, strict=True)):
        expected = _world(0).apply_c2w(c2w[list(window)])
        torch.testing.assert_close(similarity.apply_c2w(seen[k][0]), expected, atol=1e-9, rtol=0)
        torch.testing.assert_close(similarity.scale * seen[k][1], _world(0).scale * depth[list(window)])


def test_pixels_without_trust_do_not_count() -> None:
    c2w, depth = _cameras(2), 1 + torch.rand(2, 6, 6, dtype=torch.float64)
    other, trust = 2 * depth, torch.ones_like(depth)
    other[:, :4], trust[:, :4] = 50.0, 0.0
    assert float(join_similarity(c2w, c2w, depth, other, trust).scale) == pytest.approx(2.0)
    assert float(join_similarity(c2w, c2w, depth, other).scale) > 10
    # Where nothing is trusted all depths count.
    assert float(join_similarity(c2w, c2w, depth, 3 * depth, torch.zeros_like(depth)).scale) == pytest.approx(3.0)
