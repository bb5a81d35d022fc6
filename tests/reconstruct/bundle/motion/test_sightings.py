"""What single keyframes tell of a thing's distance, on exact flow before a floor and a wall."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import Views
from neoverse_ns.reconstruct.bundle.motion.sightings import CUT_ERROR, GROUND_ERROR, Sighting, see_things
from tests.reconstruct.bundle.motion.walked_scene import H, W, box, ground, views_of, walk


def _see(
    mover: torch.Tensor,
    labels: np.ndarray | None = None,
    hidden: np.ndarray | None = None,
    views: Views | None = None,
) -> tuple[np.ndarray, Sighting]:
    """The first thing of a keyframe whose still surface is known exactly."""
    surface = ground().numpy()
    hidden = np.where(mover, surface, np.nan) if hidden is None else hidden
    depth, seen = see_things(ground(), surface, mover.int().numpy() if labels is None else labels, hidden, views)
    return depth.numpy(), next(one for one in seen if one.thing == 1)


def test_a_thing_stands_on_the_ground_beneath_it() -> None:
    mover = box()
    depth, seen = _see(mover)
    assert np.array_equal(depth[~mover.numpy()], ground().numpy()[~mover.numpy()])
    assert np.ptp(depth[mover.numpy()]) == 0
    assert math.exp(seen.ground) == pytest.approx(float(ground()[55, 50]), rel=0.05)
    assert seen.ground_error == GROUND_ERROR
    # A camera that does not move tells nothing more.
    assert seen.path_certainty == 0


def test_it_lies_before_what_it_hides() -> None:
    mover = torch.zeros(H, W, dtype=torch.bool)
    mover[44:62, 40:52] = True
    _, seen = _see(mover)
    hidden = ground()[mover]
    assert seen.known == 1.0
    assert float((hidden < math.exp(seen.farthest)).float().mean()) == pytest.approx(0.15, abs=0.05)
    _, unknown = _see(mover, hidden=np.full((H, W), np.nan))
    assert math.isinf(unknown.farthest)


def test_a_thing_cut_off_by_the_lower_edge_starts_there_with_doubt() -> None:
    mover = torch.zeros(H, W, dtype=torch.bool)
    mover[30:, 30:50] = True
    depth, seen = _see(mover)
    assert seen.ground_error == CUT_ERROR
    assert math.exp(seen.ground) == pytest.approx(float(ground()[-1, 40]), rel=0.05)
    assert np.isfinite(depth).all()


def test_what_another_thing_hides_below_is_no_ground() -> None:
    mover, labels = box(), box().int().numpy()
    labels[45:62, 36:64] = 2
    _, seen = _see(mover, labels=labels, hidden=np.full((H, W), np.nan))
    assert math.isnan(seen.ground)
    assert math.isinf(seen.ground_error)


def test_something_still_that_hides_the_feet_is_no_ground() -> None:
    mover, surface = box(), ground().numpy()
    surface[50:, 30:70] = 1.0
    mover[50:] = False
    hidden = np.where(mover, ground().numpy(), np.nan)
    _, seen = see_things(torch.from_numpy(surface), surface, mover.int().numpy(), hidden, None)
    assert math.isnan(seen[0].ground)


def test_a_wide_thing_may_stand_at_a_slant() -> None:
    mover = torch.zeros(H, W, dtype=torch.bool)
    for column in range(20, 80):
        mover[40 : 51 + (column - 20) // 6, column] = True
    depth, _ = _see(mover)
    left, right = depth[45, 22], depth[45, 77]
    assert left > 1.15 * right
    assert np.abs(np.diff(depth[45, 20:80])).max() < 0.1


@pytest.mark.parametrize("true_depth", [1.6, 2.6])
def test_footsteps_of_the_camera_tell_how_far_a_flying_thing_is(true_depth: float) -> None:
    depth, mover = ground(), torch.zeros(H, W, dtype=torch.bool)
    mover[8:24, 40:56] = True
    true = depth.clone()
    true[mover] = true_depth
    _, seen = _see(mover, views=views_of(true, walk(), mover.float(), (0.05, -0.02, 0.0)))
    assert seen.path == pytest.approx(math.log(true_depth), abs=0.12)
    assert seen.path_certainty > 1 / GROUND_ERROR**2
    # An even path of the camera says nothing.
    _, even = _see(mover, views=views_of(true, walk(0.0), mover.float(), (0.05, -0.02, 0.0)))
    assert even.path_certainty < 0.5 * seen.path_certainty
