"""Dense depth, its linear solver on exact flow."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.depth.dense_solver import fill, solve_smooth
from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import dense_depth, gather_views
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField

H, W, F = 40, 60, 50.0


def _exact_field(depth: torch.Tensor, viewmats: torch.Tensor) -> FlowField:
    """Flow of frame 0's pixels into every other frame."""
    y, x = torch.meshgrid(torch.arange(H) + 0.5, torch.arange(W) + 0.5, indexing="ij")
    points = torch.stack([(x - W / 2) / F * depth, (y - H / 2) / F * depth, depth, torch.ones_like(depth)], -1).double()
    field = FlowField()
    for j in range(1, len(viewmats)):
        moved = points @ viewmats[j].T
        u, v = F * moved[..., 0] / moved[..., 2] + W / 2, F * moved[..., 1] / moved[..., 2] + H / 2
        field.flow[0, j] = torch.stack([u - x, v - y], -1).float().numpy()
        field.confidence[0, j] = np.ones((H, W), np.float32)
    return field


def _scene() -> tuple[torch.Tensor, torch.Tensor]:
    y = torch.arange(H)[:, None] / H
    depth = (2.0 - y).expand(H, W).clone()
    depth[10:25, 20:40] = 0.7
    twists = torch.tensor([[0.0] * 6, [0.15, 0.02, 0, 0, 0.02, 0], [-0.1, 0.1, 0.1, 0.01, 0, 0.02]]).double()
    return depth, se3_exp(twists)


def _image(depth: torch.Tensor) -> torch.Tensor:
    image = torch.full((H, W, 3), 60, dtype=torch.uint8)
    image[depth == 0.7] = 200
    return image


def test_solver_equals_a_dense_solve():
    generator = torch.Generator().manual_seed(0)
    h, w = 6, 7
    value, precision = (torch.rand(h, w, generator=generator, dtype=torch.float64) for _ in range(2))
    right = torch.rand(h, w - 1, generator=generator, dtype=torch.float64)
    down = torch.rand(h - 1, w, generator=generator, dtype=torch.float64)
    matrix = torch.diag(precision.flatten())
    number = torch.arange(h * w).view(h, w)
    for bond, a, b in ((right, number[:, :-1], number[:, 1:]), (down, number[:-1], number[1:])):
        for k, i, j in zip(bond.flatten(), a.flatten(), b.flatten(), strict=True):
            matrix[i, i] += k
            matrix[j, j] += k
            matrix[i, j] -= k
            matrix[j, i] -= k
    expected = torch.linalg.solve(matrix, (precision * value).flatten()).view(h, w)
    found = solve_smooth(value, precision, right, down, torch.zeros(h, w, dtype=torch.float64), 60)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


def test_fill_keeps_evidence_and_spreads_it():
    value, precision = torch.zeros(16, 24), torch.zeros(16, 24)
    value[:, 4], precision[:, 4] = 2.0, 10.0
    value[:, 20], precision[:, 20] = 6.0, 10.0
    filled = fill(value, precision)
    assert torch.allclose(filled[:, 4], torch.tensor(2.0), atol=0.2)
    assert torch.allclose(filled[:, 20], torch.tensor(6.0), atol=0.2)
    assert float(filled.min()) >= 2.0 - 1e-4
    assert float(filled.max()) <= 6.0 + 1e-4
    assert torch.equal(fill(torch.zeros(5, 3), torch.zeros(5, 3)), torch.zeros(5, 3))


def test_depth_of_exact_flow_is_exact():
    depth, viewmats = _scene()
    views = gather_views(_exact_field(depth, viewmats), 0, viewmats, F)
    assert views is not None
    found, confidence = dense_depth(views, _image(depth), smoothness=0.05, rounds=8)
    error = (found / depth - 1).abs()
    assert float(error.median()) < 0.005
    assert float(error.quantile(0.98)) < 0.05
    assert float(confidence.min()) > 0.3


def test_no_baseline_no_confidence_but_finite_depth():
    depth, viewmats = _scene()
    viewmats = viewmats.clone()
    viewmats[:, :3, 3] *= 1e-6
    views = gather_views(_exact_field(depth, viewmats), 0, viewmats, F)
    assert views is not None
    found, confidence = dense_depth(views, _image(depth), smoothness=0.3, rounds=4)
    assert torch.isfinite(found).all()
    assert float(found.min()) > 0
    assert float(confidence.max()) < 0.01


def test_what_other_views_hide_keeps_off_the_nearer_surface():
    """A strip beside a near thing that flow does not see, of the background's colour, belongs to the background."""
    depth, viewmats = _scene()
    depth[:] = 2.0
    depth[10:25, 20:40] = 0.7
    views = gather_views(_exact_field(depth, viewmats), 0, viewmats, F)
    assert views is not None
    hidden = torch.zeros(H, W, dtype=torch.bool)
    hidden[10:25, 40:46] = True
    plain = torch.full((H, W, 3), 90, dtype=torch.uint8)
    found, _ = dense_depth(views.without(hidden), plain, smoothness=0.3, rounds=6)
    assert float(found[hidden].median()) > 1.8
    assert float(found[12:23, 24:38].median()) == pytest.approx(0.7, rel=0.02)


def test_frame_without_pairs_has_no_views():
    _, viewmats = _scene()
    assert gather_views(FlowField(), 0, viewmats, F) is None
