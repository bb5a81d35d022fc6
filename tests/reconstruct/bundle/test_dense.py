"""Dense depth, its linear solver and motion masks on exact flow."""

from __future__ import annotations

import numpy as np
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.dense_solver import fill, solve_smooth
from neoverse_ns.reconstruct.bundle.depth import dense_depth, gather_views
from neoverse_ns.reconstruct.bundle.flow import FlowField
from neoverse_ns.reconstruct.bundle.motion import moving_pixels

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


def test_motion_mask_covers_the_mover_and_little_else():
    depth, viewmats = _scene()
    depth[:] = 1.5
    field = _exact_field(depth, viewmats)
    mover = torch.zeros(H, W, dtype=torch.bool)
    mover[8:30, 10:30] = True
    for j, shift in ((1, (1.0, 7.0)), (2, (-1.0, -8.0))):
        field.flow[0, j][mover.numpy()] += np.array(shift, np.float32)
    views = gather_views(field, 0, viewmats, F)
    assert views is not None
    found = moving_pixels(views, depth, torch.ones(H, W), threshold=3.0)
    overlap = float((found & mover).sum()) / float((found | mover).sum())
    assert overlap > 0.85
    assert not moving_pixels(views, depth, torch.zeros(H, W), threshold=3.0).any()
    rigid = gather_views(_exact_field(depth, viewmats), 0, viewmats, F)
    assert rigid is not None
    assert not moving_pixels(rigid, depth, torch.ones(H, W), threshold=3.0).any()


def test_frame_without_pairs_has_no_views():
    _, viewmats = _scene()
    assert gather_views(FlowField(), 0, viewmats, F) is None
