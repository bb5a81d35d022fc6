"""Depths of a moving thing that agree with how its size changes, on exact flow of squares that come nearer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.object_sizes import AGREEMENT, LINK_ERROR, Link, agree_on_sizes, settle

H, W = 96, 128
KEYFRAMES = [0, 2, 5, 7, 9]
FAR = 6.0
TRUTH = np.array([4.0, 3.6, 3.3, 3.0, 2.7])
SIDE = 80.0
"""Side of the square in pixels at depth 1."""


def _square(depth: float, column: float) -> tuple[slice, slice]:
    half = SIDE / depth / 2
    return slice(round(48 - half), round(48 + half)), slice(round(column - half), round(column + half))


def _clip(columns: list[float]) -> tuple[torch.Tensor, FlowField]:
    """Masks of a square at the given columns and the true depths, and the exact flow both ways between keyframes."""
    moving = torch.zeros(len(TRUTH), H, W, dtype=torch.bool)
    for mask, depth, column in zip(moving, TRUTH, columns, strict=True):
        mask[_square(depth, column)] = True
    field = FlowField()
    y, x = np.mgrid[:H, :W].astype(np.float32)
    for a, b in [(i, j) for i in range(len(TRUTH)) for j in (i - 1, i + 1) if 0 <= j < len(TRUTH)]:
        ratio = TRUTH[a] / TRUTH[b]
        moved = np.stack([(x - columns[a]) * ratio + columns[b] - x, (y - 48) * ratio + 48 - y], -1)
        pair = (KEYFRAMES[a], KEYFRAMES[b])
        field.flow[pair] = np.where(moving[a].numpy()[..., None], moved, 0.0).astype(np.float32)
        field.confidence[pair] = np.ones((H, W), np.float32)
    return moving, field


def _depths(moving: torch.Tensor, seeming: np.ndarray) -> torch.Tensor:
    return torch.where(moving, torch.from_numpy(seeming).float()[:, None, None], torch.tensor(FAR))


COLUMNS = [40.0, 48.0, 56.0, 64.0, 72.0]


@pytest.mark.parametrize("wrong", [{0: 5.5}, {1: 1.5, 4: 4.5}])
def test_keyframes_that_are_wrong_about_a_thing_take_what_the_others_say(wrong: dict[int, float]) -> None:
    moving, flow = _clip(COLUMNS)
    seeming = TRUTH.copy()
    for number, value in wrong.items():
        seeming[number] = value
    depth, behind = _depths(moving, seeming), torch.full((5, H, W), FAR)
    agreed = agree_on_sizes(depth, torch.full_like(depth, 0.3), behind, moving, KEYFRAMES, flow)
    assert torch.equal(agreed[~moving], depth[~moving])
    for number, true in enumerate(TRUTH):
        found = agreed[number][moving[number]]
        assert float(found.max() - found.min()) < 1e-5
        assert float(found.mean()) == pytest.approx(true, rel=0.04)


def test_sure_keyframes_outvote_unsure_ones() -> None:
    moving, flow = _clip(COLUMNS)
    depth, behind = _depths(moving, TRUTH * np.array([1.4, 1.4, 1.4, 1.0, 1.0])), torch.full((5, H, W), 9.0)
    error = torch.tensor([0.3, 0.3, 0.3, 0.05, 0.05])[:, None, None].expand(5, H, W)
    agreed = agree_on_sizes(depth, error, behind, moving, KEYFRAMES, flow)
    assert float(agreed[0][moving[0]].mean()) == pytest.approx(TRUTH[0], rel=0.08)


def test_nothing_is_moved_beyond_what_lies_behind_it() -> None:
    moving, flow = _clip(COLUMNS)
    seeming = TRUTH.copy()
    seeming[0] = 2.0
    depth, behind = _depths(moving, seeming), torch.full((5, H, W), FAR)
    behind[0] = 3.0
    agreed = agree_on_sizes(depth, torch.full_like(depth, 0.3), behind, moving, KEYFRAMES, flow)
    assert torch.equal(agreed[0][moving[0]], torch.full_like(agreed[0][moving[0]], 3.0))


def test_things_that_become_one_region_are_not_taken_for_one() -> None:
    moving, flow = _clip(COLUMNS)
    # In the last two keyframes another thing as large stands against it, in one region with it.
    for number in (3, 4):
        rows, columns = _square(TRUTH[number], COLUMNS[number])
        width = columns.stop - columns.start
        moving[number, rows, columns.stop : columns.stop + 2 * width] = True
    seeming = TRUTH * np.array([1.0, 1.0, 1.0, 0.5, 0.5])
    depth, behind = _depths(moving, seeming), torch.full((5, H, W), FAR)
    agreed = agree_on_sizes(depth, torch.full_like(depth, 0.3), behind, moving, KEYFRAMES, flow)
    assert torch.allclose(agreed[:3], depth[:3], rtol=0.02)


def test_without_movers_or_without_flow_depth_stays_as_it_is() -> None:
    moving, flow = _clip(COLUMNS)
    depth, behind = _depths(moving, TRUTH * 0.7), torch.full((5, H, W), FAR)
    error = torch.full_like(depth, 0.3)
    assert torch.equal(agree_on_sizes(depth, error, behind, moving, KEYFRAMES, FlowField()), depth)
    assert torch.equal(agree_on_sizes(depth, error, behind, torch.zeros_like(moving), KEYFRAMES, flow), depth)


def test_flow_that_nobody_trusts_links_nothing() -> None:
    moving, flow = _clip(COLUMNS)
    for confidence in flow.confidence.values():
        confidence[:] = 0.0
    depth, behind = _depths(moving, TRUTH * np.array([2.0, 1, 1, 1, 1])), torch.full((5, H, W), 9.0)
    assert torch.equal(agree_on_sizes(depth, 0.3 + 0 * depth, behind, moving, KEYFRAMES, flow), depth)


def test_settling_minimises_what_it_says() -> None:
    random = np.random.default_rng(0)
    own, errors = random.normal(0, 0.5, 7), random.uniform(0.05, 0.3, 7)
    links = [Link(0, 1, 0.1), Link(1, 2, -0.05), Link(2, 3, 0.2), Link(4, 6, 0.0)]

    def cost(x: np.ndarray) -> float:
        away = np.abs(x - own)
        pulls = np.where(away < AGREEMENT, away**2 / (2 * AGREEMENT), away - AGREEMENT / 2) / errors
        strains = [(x[link.second] - x[link.first] + link.growth) / LINK_ERROR for link in links]
        return float(pulls.sum() + 0.5 * np.square(strains).sum())

    best = minimize(cost, own, method="Powell", options={"xtol": 1e-9, "ftol": 1e-12, "maxiter": 100_000})
    settled = settle(own, errors, links)
    assert settled[5] == own[5]
    assert cost(settled) == pytest.approx(best.fun, abs=1e-3)
    assert cost(settled) < cost(own) - 1
