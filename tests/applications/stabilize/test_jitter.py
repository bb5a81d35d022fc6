"""What counts as shake: known motions measured against formulas."""

from __future__ import annotations

import math

import pytest
import torch

from neoverse_ns.applications.stabilize.jitter import SECONDS, jitter_of
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import assemble, so3_exp

F64 = torch.float64
COUNT, RATE, FOCAL = 401, 20.0, 300.0


def cameras(yaw: torch.Tensor, right: torch.Tensor, focal: torch.Tensor | None = None) -> PinholeCameras:
    """Cameras that turn (radians) and stand aside."""
    zero = torch.zeros_like(yaw)
    c2w = assemble(so3_exp(torch.stack([zero, yaw, zero], -1)), torch.stack([right, zero, zero], -1))
    K = torch.eye(3, dtype=F64).repeat(len(yaw), 1, 1)
    K[:, 0, 0] = K[:, 1, 1] = FOCAL if focal is None else focal
    K[:, 0, 2], K[:, 1, 2] = 100.0, 50.0
    return PinholeCameras(c2w, K, 200, 100)


def seconds() -> torch.Tensor:
    return torch.arange(COUNT, dtype=F64) / RATE


def sway(hertz: float, size: float) -> torch.Tensor:
    return size * torch.sin(2 * math.pi * hertz * seconds())


@pytest.mark.parametrize("hertz", [0.4, 1.0, 2.5])
def test_a_sway_counts_by_what_the_low_pass_takes_of_it(hertz: float) -> None:
    share = 1 - math.exp(-2 * (math.pi * hertz * SECONDS) ** 2)
    turned = jitter_of(cameras(sway(hertz, 0.01), 0 * seconds()), seconds(), depth=4.0)
    assert turned.degrees == pytest.approx(math.degrees(0.01) / math.sqrt(2) * share, rel=0.03)
    assert turned.percent == 0
    moved = jitter_of(cameras(0 * seconds(), sway(hertz, 0.02)), seconds(), depth=4.0)
    assert moved.percent == pytest.approx(100 * 0.02 / 4 / math.sqrt(2) * share, rel=0.03)
    assert moved.degrees == pytest.approx(0, abs=1e-9)
    # A step aside shifts what is 4 away by focal length times step over depth, all over the picture.
    assert moved.pixels == pytest.approx(FOCAL * 0.02 / 4 / math.sqrt(2) * share, rel=0.03)


def test_even_motion_and_even_zoom_are_no_shake() -> None:
    even = jitter_of(cameras(0.2 * seconds(), 3 * seconds(), FOCAL * 1.01 ** seconds()), seconds(), depth=4.0)
    assert max(even.degrees, even.percent, even.pixels) < 1e-6


def test_a_lens_that_breathes_shakes_the_picture_alone() -> None:
    breathing = jitter_of(cameras(0 * seconds(), 0 * seconds(), FOCAL + sway(2.0, 3.0)), seconds(), depth=4.0)
    assert breathing.degrees == breathing.percent == 0
    assert 0.3 < breathing.pixels < 1.0
    assert "pixels" in str(breathing)
