"""Series and closed forms against arithmetic of 50 digits, on both sides of every switch."""

import mpmath
import pytest
import torch

from neoverse_ns.geometry import smooth

mpmath.mp.dps = 50
ANGLES = [1e-12, 1e-5, 0.01, 0.1, 0.3, 0.4999, 0.5001, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("ours", "exact"),
    [
        (smooth.cos_sqrt, lambda a: mpmath.cos(a)),
        (smooth.sinc_sqrt, lambda a: mpmath.sin(a) / a),
        (smooth.versine_sqrt, lambda a: (1 - mpmath.cos(a)) / a**2),
        (smooth.cubic_sqrt, lambda a: (a - mpmath.sin(a)) / a**3),
    ],
)
def test_values_and_slopes(ours, exact):
    x = torch.tensor(ANGLES, dtype=torch.float64).square().requires_grad_(True)
    y = ours(x)
    y.sum().backward()
    assert x.grad is not None
    for value, slope, at in zip(y.tolist(), x.grad.tolist(), x.tolist(), strict=True):
        # The closed forms lose up to a factor 1 / a^2 of the last digits, which the switch keeps small.
        assert value == pytest.approx(float(exact(mpmath.sqrt(at))), abs=2e-15)
        assert slope == pytest.approx(float(mpmath.diff(lambda z: exact(mpmath.sqrt(z)), at)), abs=2e-14)


def test_arcsinc():
    for angle in (0.0, 1e-9, 0.05, 0.0999, 0.1002, 1.0, 1.5):
        sine = mpmath.sin(mpmath.mpf(angle))
        x = torch.tensor(float(sine**2), dtype=torch.float64)
        value = smooth.arcsinc(x, torch.tensor(float(mpmath.cos(angle)), dtype=torch.float64))
        assert value.item() == pytest.approx(float(angle / sine) if angle else 1.0, abs=1e-15)
