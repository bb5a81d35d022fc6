"""Holes are closed from around them, and what is known stays to the bit."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.generate.refiners.internal.fill import depth_or_behind, push_pull


@pytest.mark.parametrize(("height", "width"), [(16, 24), (13, 7), (1, 5)])
def test_known_pixels_stay_and_a_constant_image_is_found_again(height: int, width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    known = (torch.rand(2, 1, height, width, generator=generator) > 0.6).float()
    known[..., 0, 0] = 1
    noise = torch.rand(2, 3, height, width, generator=generator)
    filled = push_pull(noise, known)
    assert torch.equal(filled[(known > 0).expand_as(filled)], noise[(known > 0).expand_as(noise)])
    # Whatever stands in the holes has no influence.
    assert torch.allclose(filled, push_pull(torch.where(known > 0, noise, noise + 7), known))
    flat = push_pull(torch.where(known > 0, 0.3, 9.0).expand(2, 3, -1, -1), known)
    assert torch.allclose(flat, torch.full_like(flat, 0.3), atol=1e-6)


def test_a_hole_between_two_sides_takes_after_the_nearer_one() -> None:
    values = torch.zeros(1, 1, 8, 32)
    values[..., 24:] = 1
    known = torch.ones(1, 1, 8, 32)
    known[..., 8:24] = 0
    row = push_pull(values, known)[0, 0, 4]
    assert row[9] < 0.3 < 0.7 < row[22]
    assert bool((row.diff() >= -1e-6).all())


def test_an_image_without_anything_known_is_zero() -> None:
    assert not push_pull(torch.ones(1, 2, 6, 6), torch.zeros(1, 1, 6, 6)).any()


def test_a_hole_at_an_edge_gets_the_depth_behind() -> None:
    depth = torch.full((1, 1, 16, 32), 1.0)
    depth[..., 16:] = 4.0
    alpha = torch.ones_like(depth)
    alpha[..., 12:20] = 0
    depth[..., 12:20] = 0
    filled = depth_or_behind(depth, alpha)
    assert torch.equal(filled[alpha > 0], depth[alpha > 0])
    hole = filled[..., 12:20]
    assert float(hole.min()) >= 1
    assert float(hole.max()) <= 4 + 1e-4
    # At equal distance from both sides it is far nearer to the one behind than their mean of 2.5.
    assert float(hole[..., 4].mean()) > 3.2


def test_depth_without_anything_drawn_is_positive_and_finite() -> None:
    filled = depth_or_behind(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))
    assert torch.isfinite(filled).all()
    assert bool((filled > 0).all())
