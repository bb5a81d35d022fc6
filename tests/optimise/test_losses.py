"""Photometric and depth terms against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.metrics.image import ssim_map
from neoverse_ns.optimise.losses import LossConfig, depth_loss, photometric_losses
from neoverse_ns.optimise.motion_priors import MotionLossConfig


def uniform(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_photometric_terms_are_weighted_means_and_absent_without_weight() -> None:
    rgb, image, alpha = uniform(12, 16, 3), uniform(12, 16, 3, seed=1), uniform(12, 16, 1, seed=2)
    losses = photometric_losses(rgb, alpha, image, LossConfig(l1=0.5, dssim=0.0, opacity=0.25))
    assert set(losses) == {"l1", "opacity"}
    assert float(losses["l1"]) == pytest.approx(0.5 * np.abs(rgb.numpy() - image.numpy()).mean(), rel=1e-5)
    assert float(losses["opacity"]) == pytest.approx(0.25 * (1 - alpha.numpy()).mean(), rel=1e-5)
    equal = photometric_losses(image, torch.ones(12, 16, 1), image, LossConfig())
    assert {name: float(value) for name, value in equal.items()} == pytest.approx(
        {"l1": 0.0, "dssim": 0.0, "opacity": 0.0}, abs=1e-6
    )


def test_depth_term_is_the_weighted_deviation_of_the_logarithms_from_their_median() -> None:
    depth, estimate, confidence = 1 + uniform(9, 9), 1 + uniform(9, 9, seed=1), uniform(9, 9, seed=2)
    alpha = torch.ones(9, 9)
    ratio = np.log(depth.double().numpy()) - np.log(estimate.double().numpy())
    expected = np.average(np.abs(ratio - np.median(ratio)), weights=confidence.double().numpy())
    assert float(depth_loss(depth, alpha, estimate, confidence)) == pytest.approx(expected, rel=1e-5)


def test_depth_term_ignores_scale_holes_and_what_is_not_trusted() -> None:
    estimate = 1 + uniform(9, 9)
    depth, alpha, confidence = 3 * estimate, torch.ones(9, 9), torch.ones(9, 9)
    assert float(depth_loss(depth, alpha, estimate, confidence)) == pytest.approx(0, abs=1e-6)
    depth[0], depth[1], depth[2] = 0.0, 50.0, 70.0
    alpha[1], confidence[2] = 0.3, 0.0
    depth.requires_grad_()
    loss = depth_loss(depth, alpha, estimate, confidence)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    assert depth.grad is not None
    assert torch.isfinite(depth.grad).all()
    assert depth.grad[:3].abs().max() == 0
    assert float(depth_loss(depth, torch.zeros(9, 9), estimate, confidence).detach()) == 0


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (LossConfig(l1=-1.0), r"losses\.l1"),
        (LossConfig(motion=MotionLossConfig(share=0)), r"motion\.share"),
        (LossConfig(motion=MotionLossConfig(flow=float("nan"))), r"motion\.flow"),
    ],
)
def test_senseless_weights_are_named(config: LossConfig, name: str) -> None:
    LossConfig().validate()
    with pytest.raises(SettingsError, match=name):
        config.validate()


def test_ignored_pixels_count_nothing() -> None:
    """Whatever the picture shows there, terms and gradients are the same; those inside are a mean over the rest."""
    generator = torch.Generator().manual_seed(4)
    rgb, image = torch.rand(2, 24, 30, 3, generator=generator).unbind()
    alpha = torch.rand(24, 30, 1, generator=generator)
    world = torch.ones(24, 30, dtype=torch.bool)
    world[:, 20:] = False
    results = []
    for value in (0.0, 1.0):
        drawn, other = rgb.clone().requires_grad_(), image.clone()
        other[~world] = value
        losses = photometric_losses(drawn, alpha, other, LossConfig(), world)
        torch.stack(list(losses.values())).sum().backward()
        assert drawn.grad is not None
        assert not drawn.grad[~world].any()
        results.append((losses, drawn.grad))
    for name, value in results[0][0].items():
        assert float(value.detach()) == float(results[1][0][name].detach()), name
    assert torch.equal(results[0][1], results[1][1])
    inside = photometric_losses(rgb[:, :20], alpha[:, :20], image[:, :20], LossConfig())
    for name in ("l1", "opacity"):
        torch.testing.assert_close(results[0][0][name].detach(), inside[name])
    # Five columns of windows reach beyond.
    expected = 0.2 * (1 - ssim_map(rgb[:, :20], image[:, :20])[:, :15].mean())
    torch.testing.assert_close(results[0][0]["dssim"].detach(), expected)


def test_a_picture_that_is_ignored_altogether_costs_nothing() -> None:
    losses = photometric_losses(
        torch.rand(16, 16, 3), torch.rand(16, 16, 1), torch.rand(16, 16, 3), LossConfig(), torch.zeros(16, 16).bool()
    )
    assert {name: float(value) for name, value in losses.items()} == {"l1": 0.0, "dssim": 0.0, "opacity": 0.0}
