"""What is measured of an edit outside its region, in FiVE's way by torchmetrics' own metrics, and over pixels alone."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from neoverse_ns.metrics.image import ssim_map
from neoverse_ns.metrics.lpips import load_lpips
from neoverse_ns.metrics.outside_mask import outside_scores
from tests.metrics.alexnet import random_alexnet


def pictures() -> tuple[Tensor, Tensor, Tensor]:
    """Edited, original, and a region of which more has changed than of the rest."""
    random = torch.Generator().manual_seed(4)
    original = torch.rand(48, 60, 3, generator=random)
    edited = (original + 0.05 * torch.randn(original.shape, generator=random)).clamp(0, 1)
    region = torch.zeros(48, 60, dtype=torch.bool)
    region[10:30, 5:25] = True
    edited[region] = 1
    return edited, original, region


def test_blackened_is_the_mean_over_the_whole_picture() -> None:
    edited, original, region = pictures()
    a, b = ((image * ~region[..., None]).permute(2, 0, 1)[None] for image in (edited, original))
    scores = outside_scores(edited, original, region)
    assert scores.psnr == pytest.approx(float(peak_signal_noise_ratio(a, b, data_range=1.0)), abs=1e-4)
    structure = structural_similarity_index_measure(a, b, data_range=1.0)
    assert isinstance(structure, Tensor)
    assert scores.ssim == pytest.approx(float(structure), abs=1e-5)
    assert scores.mse == pytest.approx(float((a - b).square().mean()), rel=1e-5)
    assert scores.lpips is None


def test_over_pixels_the_size_of_the_region_is_of_no_matter() -> None:
    edited, original, region = pictures()
    scores = outside_scores(edited, original, region, blackened=False)
    squared = (edited - original)[~region].double().square().mean().item()
    assert scores.mse == pytest.approx(squared)
    assert scores.psnr == pytest.approx(-10 * math.log10(squared))
    share = (~region).float().mean().item()
    assert outside_scores(edited, original, region).mse == pytest.approx(share * squared, rel=1e-5)
    # Windows reach five pixels far; none that counts reaches into the region.
    far = torch.ones_like(region)
    far[5:35, 0:30] = False
    assert scores.ssim == pytest.approx(ssim_map(edited, original)[far].mean().item(), abs=1e-6)


@pytest.mark.parametrize("blackened", [True, False])
def test_the_region_itself_does_not_count(tmp_path: Path, blackened: bool) -> None:
    torch.save(random_alexnet(), tmp_path / "alex.pth")
    lpips = load_lpips(tmp_path / "alex.pth")
    edited, original, region = pictures()
    other = edited.clone()
    other[region] = 0.3
    scores = outside_scores(edited, original, region, lpips, blackened)
    assert scores == outside_scores(other, original, region, lpips, blackened)
    assert scores.lpips is not None
    assert scores.lpips > 0.001
    same = outside_scores(torch.where(region[..., None], other, original), original, region, lpips, blackened)
    assert (same.psnr, same.mse) == (math.inf, 0)
    assert (same.ssim, same.lpips) == pytest.approx((1, 0), abs=1e-6)


def test_nothing_outside_is_not_a_number() -> None:
    edited, original, region = pictures()
    scores = outside_scores(edited, original, torch.ones_like(region))
    assert all(math.isnan(value) for value in (scores.psnr, scores.mse, scores.ssim))
