"""Depth edges at the image's edges."""

from __future__ import annotations

import numpy as np

from neoverse_ns.reconstruct.bundle.depth.depth_edges import sharpen_edges


def _scene(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Depth and picture of a near bar, `width` pixels wide, before a textured wall."""
    generator = np.random.default_rng(0)
    image = (60 + generator.integers(-4, 5, (60, 96, 1)) + np.zeros(3)).astype(np.uint8)
    depth = np.full((60, 96), 4.0, np.float32)
    image[:, 40 : 40 + width] += 120
    depth[:, 40 : 40 + width] = 1.0
    return depth, image


def test_spilled_surface_is_taken_back_to_the_image_edge():
    for width in (20, 6):
        truth, image = _scene(width)
        spilled = truth.copy()
        spilled[:, 40 + width : 42 + width] = 1.0
        found, trust = sharpen_edges(spilled, image)
        before, after = (np.abs(np.log(a / truth)) > 0.05 for a in (spilled, found))
        assert after.mean() < 0.15 * before.mean()
        assert trust[:, 41 + width].max() < 0.2
        assert trust[:, :30].min() == 1


def test_smooth_depth_and_right_edges_stay():
    slope = np.linspace(1, 2, 96, dtype=np.float32)[None].repeat(60, 0)
    found, _ = sharpen_edges(slope, _scene(20)[1])
    np.testing.assert_array_equal(found, slope)
    truth, image = _scene(20)
    np.testing.assert_allclose(sharpen_edges(truth, image)[0], truth, rtol=1e-5)
