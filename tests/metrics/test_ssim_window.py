"""SSIM of the field's tables against scikit-image, whole and masked, and DyCheck's against a twin made of loops."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from neoverse_ns.metrics.dycheck_ssim import dycheck_ssim
from neoverse_ns.metrics.ssim_window import masked_windowed_ssim, windowed_ssim, windowed_ssim_map


def pair(height: int = 21, width: int = 26) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(3)
    a = torch.rand(height, width, 3, generator=random, dtype=torch.float64)
    return a, (a + 0.2 * torch.randn(a.shape, generator=random, dtype=torch.float64)).clamp(0, 1)


def test_gaussian_windows_are_scikit_images() -> None:
    a, b = pair()
    reference = partial(
        structural_similarity, a.numpy(), b.numpy(), data_range=1, channel_axis=-1, gaussian_weights=True, sigma=1.5
    )
    assert windowed_ssim(a, b) == pytest.approx(reference(), abs=1e-9)
    assert windowed_ssim(a, b, sample=False) == pytest.approx(reference(use_sample_covariance=False), abs=1e-9)
    assert windowed_ssim(a, b) != pytest.approx(windowed_ssim(a, b, sample=False), abs=1e-6)


@pytest.mark.parametrize("data_range", [1.0, 2.0])
def test_flat_windows_are_scikit_images(data_range: float) -> None:
    a, b = pair()
    reference, whole = structural_similarity(a.numpy(), b.numpy(), data_range=data_range, channel_axis=-1, full=True)
    assert windowed_ssim(a, b, "uniform", data_range) == pytest.approx(reference, abs=1e-9)
    np.testing.assert_allclose(windowed_ssim_map(a, b, "uniform", data_range), whole, atol=1e-9)
    mask = torch.zeros(21, 26, dtype=torch.bool)
    mask[:9, 3:20] = True
    assert masked_windowed_ssim(a, b, mask, "uniform", data_range) == pytest.approx(
        whole[mask.numpy()].mean(), abs=1e-9
    )


def test_eight_bits_with_their_range_are_the_same() -> None:
    a, b = (np.rint(image.numpy() * 255).astype(np.uint8) for image in pair())
    reference = structural_similarity(a, b, data_range=255, channel_axis=-1)
    mine = windowed_ssim(torch.from_numpy(a) / 255, torch.from_numpy(b) / 255, "uniform")
    assert mine == pytest.approx(reference, abs=1e-6)


def test_nothing_to_average_is_not_a_number() -> None:
    a, b = pair()
    assert math.isnan(masked_windowed_ssim(a, b, torch.zeros(21, 26, dtype=torch.bool)))
    assert math.isnan(windowed_ssim(a[:10], b[:10]))
    assert math.isfinite(windowed_ssim(a[:10], b[:10], "uniform"))
    assert math.isnan(dycheck_ssim(a[:10], b[:10]))
    with pytest.raises(ValueError, match="smaller than a window of 7"):
        windowed_ssim_map(a[:6], b[:6], "uniform")


def ramps(case: str) -> tuple[Tensor, Tensor]:
    row, column = torch.meshgrid(torch.arange(24.0).double(), torch.arange(40.0).double(), indexing="ij")
    if case == "flat":
        x, y = torch.full_like(row, 0.5), torch.full_like(row, 0.6)
    else:
        x, y = column / 39, (column + row) / 62
    return x[..., None].expand(24, 40, 3), y[..., None].expand(24, 40, 3)


def masks(kind: str) -> Tensor:
    row, column = torch.meshgrid(torch.arange(24), torch.arange(40), indexing="ij")
    if kind == "checkerboard":
        return (row // 4 + column // 4) % 2 == 1
    return {"full": column >= 0, "left": column < 20, "empty": column < 0}[kind]


@pytest.mark.parametrize(
    ("case", "mask", "expected"),
    [
        ("flat", "full", 0.983609),
        ("flat", "left", 0.986821),
        ("flat", "empty", 1.0),
        ("ramp", "full", 0.750145),
        ("ramp", "left", 0.899422),
        ("ramp", "checkerboard", 0.938336),
    ],
)
def test_known_values_of_dychecks(case: str, mask: str, expected: float) -> None:
    assert dycheck_ssim(*ramps(case), masks(mask)) == pytest.approx(expected, abs=1e-6)


def test_dychecks_is_that_of_loops() -> None:
    a, b = pair(14, 17)
    mask = torch.rand(14, 17, generator=torch.Generator().manual_seed(0)) < 0.2
    mask[:, :13] = False
    assert dycheck_ssim(a, b, mask) == pytest.approx(loop_twin(a.numpy(), b.numpy(), mask.numpy()), abs=1e-12)
    assert dycheck_ssim(a.float(), b.float(), mask) == pytest.approx(dycheck_ssim(a, b, mask), abs=1e-6)
    assert dycheck_ssim(a, b) == dycheck_ssim(a, b, torch.ones_like(mask))


def loop_twin(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> float:
    """Written out pixel by pixel."""
    weights = [math.exp(-((i - 5) ** 2) / (2 * 1.5**2)) for i in range(11)]
    weights = [weight / sum(weights) for weight in weights]

    def one_way(values: list[float], valid: list[bool]) -> tuple[list[float], list[bool]]:
        means, left = [], []
        for start in range(len(values) - 10):
            part, kept = values[start : start + 11], valid[start : start + 11]
            total = sum(w * v for w, v, k in zip(weights, part, kept, strict=True) if k)
            means.append(total * 11 / sum(kept) if any(kept) else 0.0)
            left.append(any(kept))
        return means, left

    def local_means(plane: np.ndarray) -> np.ndarray:
        rows = [one_way(list(line), list(kept)) for line, kept in zip(plane, mask, strict=True)]
        values, valid = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
        columns = [one_way(list(values[:, i]), list(valid[:, i])) for i in range(values.shape[1])]
        return np.array([column[0] for column in columns]).T

    results = []
    for channel in range(3):
        x, y = a[..., channel], b[..., channel]
        moments = [local_means(plane) for plane in (x, y, x * x, y * y, x * y)]
        for mx, my, xx, yy, xy in zip(*(m.ravel() for m in moments), strict=True):
            vx, vy, cov = max(0, xx - mx * mx), max(0, yy - my * my), xy - mx * my
            cov = math.copysign(min(abs(cov), math.sqrt(vx * vy)), cov)
            top = (2 * mx * my + 1e-4) * (2 * cov + 9e-4)
            results.append(top / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4)))
    return sum(results) / len(results)
