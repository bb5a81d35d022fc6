"""What a refined crop is judged by while training."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

_C1, _C2 = 0.01**2, 0.03**2


def pixel_loss(a: Float[Tensor, "b 3 h w"], b: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
    """Charbonnier's smooth absolute difference: the median's robustness, with a gradient that fades near zero."""
    return ((a - b).square() + 1e-4).sqrt().mean()


def gradient_loss(a: Float[Tensor, "b 3 h w"], b: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
    """Mean absolute error of the differences between neighbouring pixels, along both axes."""
    error = a - b
    return error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()


def structure_loss(a: Float[Tensor, "b 3 h w"], b: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
    """1 - SSIM over 7x7 box windows: coarser than the metric's Gaussian window, and several times as fast."""

    def mean(x: Tensor) -> Tensor:
        return avg_pool2d(x, 7, stride=1)

    mean_a, mean_b = mean(a), mean(b)
    variances = mean(a * a) - mean_a * mean_a + mean(b * b) - mean_b * mean_b
    covariance = mean(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + _C1) / (mean_a.square() + mean_b.square() + _C1)
    return 1 - (luminance * (2 * covariance + _C2) / (variances.clamp_min(0) + _C2)).mean()
