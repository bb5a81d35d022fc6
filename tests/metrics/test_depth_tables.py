"""Depth as the field's tables measure it: fits against linear programs and hand-made cases, limits, sizes, means."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import Tensor

from neoverse_ns.metrics.depth import (
    DepthLimits,
    depth_error,
    resized_depth,
)
from neoverse_ns.metrics.depth_fit import l1_scale, l1_scale_shift, least_squares_scale_shift, reweighted_scale


def doubles(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def noisy(count: int, seed: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    d = 1 + 4 * torch.rand(count, generator=random, dtype=torch.float64)
    g = 1.7 * d + 0.6 + 0.2 * torch.randn(count, generator=random, dtype=torch.float64)
    g[: count // 5] *= 3
    return d, g


def test_ten_steps_of_the_scale() -> None:
    # Four pixels say 2 and the fifth is far off: of the distance e to 2 a step leaves 100 e / (200 - 25 e).
    e = 50 / 15 - 2
    for _ in range(10):
        e = 100 * e / (200 - 25 * e)
    outlier = doubles(1, 2, 3, 4, 5), doubles(2, 4, 6, 8, 30)
    assert reweighted_scale(*outlier) == (pytest.approx(2 + e, abs=1e-6), 0)
    assert l1_scale(*outlier) == (2, 0)
    d, g = noisy(40, 0)
    s = sum(g.tolist()) / sum(d.tolist())
    for _ in range(10):
        w = [1 / (abs(s * a - b) + 1e-8) for a, b in zip(d.tolist(), g.tolist(), strict=True)]
        s = sum(w * a * b for w, a, b in zip(w, d.tolist(), g.tolist(), strict=True)) / sum(
            w * a * a for w, a in zip(w, d.tolist(), strict=True)
        )
    assert reweighted_scale(d, g)[0] == pytest.approx(s, rel=1e-9)
    assert reweighted_scale(doubles(1e5, 1e5), doubles(1, 1))[0] == 1e-3


@pytest.mark.parametrize(("count", "seed"), [(2, 0), (5, 1), (6, 2), (31, 3), (40, 4), (200, 5)])
def test_least_absolute_error_is_the_linear_programs(count: int, seed: int) -> None:
    d, g = noisy(count, seed)
    scale, shift = l1_scale_shift(d, g)
    # Minimise the sum of e with -e <= s d + t - g <= e.
    one, eye = np.ones((count, 1)), np.eye(count)
    D, G = d.numpy()[:, None], g.numpy()
    best = linprog(
        np.r_[0, 0, np.ones(count)],
        np.block([[D, one, -eye], [-D, -one, -eye]]),
        np.r_[G, -G],
        bounds=[(None, None)] * 2 + [(0, None)] * count,
    )
    assert (scale * d + shift - g).abs().sum().item() == pytest.approx(best.fun, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize(("count", "seed"), [(1, 0), (5, 1), (6, 2), (200, 5)])
def test_least_absolute_error_of_a_scale_alone(count: int, seed: int) -> None:
    d, g = noisy(count, seed)
    scale, shift = l1_scale(d, g)
    # The minimum of a sum of absolute values lies where one of them vanishes.
    least = min((float(s) * d - g).abs().sum().item() for s in g / d)
    assert (scale * d - g).abs().sum().item() == pytest.approx(least, rel=1e-12)
    assert shift == 0


def test_least_absolute_error_with_ties_many_pixels_and_nothing_to_go_by() -> None:
    d, g = noisy(300_000, 6)
    scale, shift = l1_scale_shift(d.round(decimals=1), g.round(decimals=1))
    d, g = d.round(decimals=1), g.round(decimals=1)
    least = (scale * d + shift - g).abs().sum()
    for a, b in ((1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4), (1e-4, -1e-4), (-1e-4, 1e-4)):
        assert ((scale + a) * d + shift + b - g).abs().sum() >= least - 1e-6
    flat_scale, flat_shift = l1_scale_shift(torch.full((7,), 0.1, dtype=torch.float64), doubles(1, 2, 3, 4, 5, 6, 90))
    assert 0.1 * flat_scale + flat_shift == pytest.approx(4)
    assert l1_scale_shift(doubles(1, 2, 3, 4), doubles(5, 5, 5, 5)) == pytest.approx((0, 5), abs=1e-6)
    assert l1_scale_shift(doubles(1, 2, 3, 4), doubles(8, 6, 4, 2)) == pytest.approx((-2, 10), abs=1e-6)
    # The slope vanishes where the search first looks beyond its start.
    assert l1_scale_shift(doubles(1, 2), doubles(2, 3)) == pytest.approx((1, 1), abs=1e-6)


def test_least_squares_with_shift_is_numpys() -> None:
    d, g = noisy(50, 7)
    assert least_squares_scale_shift(d, g) == pytest.approx(tuple(np.polyfit(d.numpy(), g.numpy(), 1)), abs=1e-9)
    assert least_squares_scale_shift(doubles(2, 2), doubles(3, 5)) == (1.0, 2.0)


@pytest.mark.parametrize("alignment", ["l1_scale_shift", "least_squares_scale_shift"])
def test_errors_after_scale_and_shift(alignment) -> None:
    truth = torch.rand(3, 8, 9, generator=torch.Generator().manual_seed(0)) + 1
    error = depth_error((truth - 0.3) / 7, truth, alignment=alignment)
    assert (error.scale, error.shift) == pytest.approx((7, 0.3), abs=1e-4)
    assert error.abs_rel == pytest.approx(0, abs=1e-6)


def test_all_errors_by_hand() -> None:
    truth, estimate = torch.tensor([[1.0, 2.0, 4.0, 5.0]]), torch.tensor([[1.0, 3.0, 7.0, 1.0]])
    error = depth_error(estimate, truth, alignment="none")
    assert error.sq_rel == pytest.approx((0 + 1 / 2 + 9 / 4 + 16 / 5) / 4)
    logs = [0, math.log(1.5), math.log(1.75), math.log(5)]
    assert error.log_rmse == pytest.approx(math.sqrt(sum(x * x for x in logs) / 4))
    # Ratios 1, 1.5, 1.75, 5 against 1.25, 1.5625, 1.953.
    assert (error.delta_125, error.delta_2, error.delta_3) == (0.25, 0.5, 0.75)
    assert error.shift == 0


def test_limits_choose_pixels_and_cut_estimates() -> None:
    truth, estimate = torch.tensor([[1.0, 60.0, 70.0, 200.0]]), torch.tensor([[-1.0, 90.0, 1.0, 1.0]])
    sintel = depth_error(estimate, truth, alignment="none", limits=DepthLimits(70.0, 1e-5, 70.0))
    assert sintel.pixels == 2
    assert sintel.abs_rel == pytest.approx(((1 - 1e-5) + 10 / 60) / 2)
    assert depth_error(estimate, truth, alignment="none", limits=DepthLimits(70.0, 1e-5)).abs_rel == pytest.approx(
        ((1 - 1e-5) + 30 / 60) / 2
    )
    assert depth_error(estimate, truth, alignment="none", limits=DepthLimits(None, 1e-5)).pixels == 4
    ramp, bent = torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.tensor([[0.1, 0.1, 0.1, 5.0]])
    low = depth_error(ramp, bent, alignment="least_squares_scale_shift")
    assert math.isnan(low.abs_rel)
    assert "not positive" in (low.reason or "")
    lifted = depth_error(ramp, bent, alignment="least_squares_scale_shift", limits=DepthLimits(at_least=1e-5))
    assert math.isfinite(lifted.log_rmse)


def test_sizes_are_brought_together_as_opencv_does() -> None:
    depth = 1 + torch.rand(2, 6, 8, generator=torch.Generator().manual_seed(0))
    expected = cv2.resize(depth[1].numpy(), (19, 11), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(resized_depth(depth, 11, 19)[1].numpy(), expected, atol=1e-5)
    assert resized_depth(depth, 6, 8) is depth
