"""PSNR and SSIM against torchmetrics and scikit-image, and inside masks against written-out sums."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from neoverse_ns.metrics.image import psnr, ssim, ssim_map


def pair(height: int = 33, width: int = 40, noise: float = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(0, 6, height), torch.linspace(0, 9, width), indexing="ij")
    a = torch.stack([0.5 + 0.4 * (x + y).sin(), 0.5 + 0.3 * x.cos(), 0.5 + 0.5 * (y * x).sin()], dim=-1)
    return a, (a + noise * torch.randn_like(a)).clamp(0, 1)


def test_psnr_matches_scikit_image():
    a, b = pair()
    assert psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a.numpy(), b.numpy(), data_range=1), abs=1e-5)


def test_ssim_matches_torchmetrics():
    for noise in (0.01, 0.1, 0.5):
        a, b = pair(noise=noise)
        reference = structural_similarity_index_measure(
            a.permute(2, 0, 1)[None], b.permute(2, 0, 1)[None], data_range=1.0
        )
        assert isinstance(reference, torch.Tensor)
        assert ssim(a, b) == pytest.approx(reference.item(), abs=1e-5)


def test_ssim_map_matches_scikit_image_away_from_the_border():
    a, b = pair()
    _, reference = structural_similarity(
        a.double().numpy(), b.double().numpy(), data_range=1.0, channel_axis=-1, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    ours = ssim_map(a.double(), b.double())[5:-5, 5:-5].numpy()
    np.testing.assert_allclose(ours, reference[5:-5, 5:-5], atol=1e-9)


def test_masks_restrict_the_average():
    a, b = pair()
    mask = torch.zeros(33, 40, dtype=torch.bool)
    mask[3:20, 5:17] = True
    error = (a - b)[3:20, 5:17].double().square().mean().item()
    assert psnr(a, b, mask) == pytest.approx(-10 * math.log10(error), abs=1e-9)
    assert ssim(a, b, mask) == pytest.approx(ssim_map(a, b)[3:20, 5:17].mean().item(), abs=1e-6)
    everything = torch.ones(33, 40, dtype=torch.bool)
    assert psnr(a, b, everything) == pytest.approx(psnr(a, b))
    assert ssim(a, b, everything) == pytest.approx(ssim(a, b))


def test_errors_outside_the_mask_do_not_count():
    a, _ = pair()
    b = a.clone()
    b[:, 30:] = 0
    mask = torch.zeros(33, 40, dtype=torch.bool)
    mask[:, :20] = True
    assert psnr(a, b, mask) == math.inf
    assert ssim(a, b, mask) == pytest.approx(1, abs=1e-6)
    assert ssim(a, b) < 0.95


def test_equal_images_and_empty_masks():
    a, b = pair()
    empty = torch.zeros(33, 40, dtype=torch.bool)
    assert psnr(a, a) == math.inf
    assert ssim(a, a) == pytest.approx(1, abs=1e-6)
    assert math.isnan(psnr(a, b, empty))
    assert math.isnan(ssim(a, b, empty))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 60), (60, 5)])
def test_tiny_images_are_finite(height, width):
    a, b = pair(height, width)
    assert -1 <= ssim(a, b) < 1
    assert ssim(a, a) == pytest.approx(1, abs=1e-5)


def test_ssim_map_is_differentiable_even_on_flat_images():
    a = torch.full((12, 12, 3), 0.5, requires_grad=True)
    (1 - ssim_map(a, torch.zeros(12, 12, 3))).mean().backward()
    assert a.grad is not None
    assert a.grad.isfinite().all()
    assert a.grad.abs().sum() > 0
