"""How many frames at once, by the memory that is free."""

from __future__ import annotations

import pytest

from neoverse_ns.errors import MemoryShortageError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.memory import MemoryRequest
from neoverse_ns.reconstruct.feedforward.window_budget import needed_for, window_that_fits

RELEASED = NetworkArchitecture()
REQUEST = MemoryRequest(81, 336, 560, precision="bfloat16", mixed_precision=True)


def test_the_whole_clip_where_it_fits(capsys: pytest.CaptureFixture[str]) -> None:
    need = needed_for(RELEASED, REQUEST, 11, 81)
    for free in (need, None):
        budget = window_that_fits(RELEASED, REQUEST, 11, 81, free)
        assert (budget.window, budget.needed) == (81, need)
    assert "81 frames at once" in capsys.readouterr().out


def test_less_at_once_where_it_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    free = needed_for(RELEASED, REQUEST, 81, 40)
    budget = window_that_fits(RELEASED, REQUEST, 81, 81, free)
    assert budget.window == 40
    assert needed_for(RELEASED, REQUEST, 81, 41) > free
    assert "windows of 40" in " ".join(capsys.readouterr().out.split())


def test_cameras_alone_need_less_than_gaussians() -> None:
    assert needed_for(RELEASED, REQUEST, 11, 81) < needed_for(RELEASED, REQUEST, 81, 81)
    assert needed_for(RELEASED, REQUEST, 11, 81) > needed_for(RELEASED, REQUEST, 11, 11)


def test_a_device_for_nothing_is_refused() -> None:
    with pytest.raises(MemoryShortageError, match="low-vram"):
        window_that_fits(RELEASED, REQUEST, 11, 81, 10**9)
