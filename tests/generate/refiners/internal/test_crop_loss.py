"""Loss terms against slow or closed forms."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.generate.refiners.internal.crop_loss import gradient_loss, pixel_loss, structure_loss


def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, 9, 10, generator=generator), torch.rand(1, 3, 9, 10, generator=generator)


def test_equal_images_have_no_loss_but_the_smoothing_of_the_pixels() -> None:
    a, _ = pair()
    assert float(pixel_loss(a, a)) == pytest.approx(0.01, rel=1e-3)
    assert float(gradient_loss(a, a)) == 0
    assert abs(float(structure_loss(a, a))) < 1e-4


def test_gradients_do_not_mind_a_constant_but_mind_a_blur() -> None:
    a, _ = pair()
    assert float(gradient_loss(a, a + 0.25)) < 1e-6
    step = torch.zeros(1, 3, 4, 8)
    step[..., 4:] = 1
    soft = step.clone()
    soft[..., 3], soft[..., 4] = 0.25, 0.75
    # Three of seven differences are 0.25, 0.5 and 0.25 off.
    assert float(gradient_loss(soft, step)) == pytest.approx(1 / 7, rel=1e-5)


def test_structure_is_ssim_of_every_window() -> None:
    a, b = pair()
    c1, c2, values = 0.01**2, 0.03**2, []
    for top in range(3):
        for left in range(4):
            for c in range(3):
                x, y = (im[0, c, top : top + 7, left : left + 7].double() for im in (a, b))
                cov = ((x - x.mean()) * (y - y.mean())).mean()
                light = (2 * x.mean() * y.mean() + c1) / (x.mean() ** 2 + y.mean() ** 2 + c1)
                values.append(light * (2 * cov + c2) / (x.var(unbiased=False) + y.var(unbiased=False) + c2))
    assert float(structure_loss(a, b)) == pytest.approx(1 - float(torch.stack(values).mean()), abs=1e-4)
