"""Things placed in all keyframes, on squares whose depths are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from neoverse_ns.reconstruct.bundle.motion.place_things import Still, place_things
from neoverse_ns.reconstruct.bundle.motion.things import Things, find_things
from tests.reconstruct.bundle.motion.moving_squares import SIDE, Drawn, H, Square, W, draw

F = 100.0
DEPTHS = [2.4, 2.3, 2.2, 2.1, 2.0, 1.9]
COUNT = len(DEPTHS)


def _drawn() -> Drawn:
    """A square that comes nearer and stands, in every keyframe, on a floor 0.4 below its middle."""
    return draw([Square([40.0 + 8 * n for n in range(COUNT)], DEPTHS)], COUNT)


def _still(parallax: bool, expected: torch.Tensor | None = None) -> Still:
    """A floor that the squares stand on: their lower edge is SIDE / 2 / depth below the horizon, so is the floor."""
    rows = torch.arange(H) + 0.5 - 48
    floor = (SIDE / 2 / rows.clamp_min(0.1)).clamp_max(8.0)[:, None].expand(COUNT, H, W).clone()
    return Still(floor, torch.ones_like(floor), expected, torch.eye(4).repeat(COUNT, 1, 1), F, parallax)


@pytest.mark.parametrize("parallax", [True, False])
def test_things_stand_where_they_stand_and_what_is_still_stays(parallax: bool) -> None:
    drawn, still = _drawn(), _still(parallax)
    things = find_things(drawn.moving, drawn.images, drawn.flows)
    depth = place_things(things, still, drawn.flows, lambda _place: None, np.arange(COUNT) * 0.25)
    assert torch.equal(depth[~drawn.moving], still.depth[~drawn.moving])
    for place, true in enumerate(DEPTHS):
        assert float(depth[place][drawn.moving[place]].median()) == pytest.approx(true, rel=0.06)
    # Nothing lies behind what it hides.
    assert (depth[drawn.moving] <= still.depth[drawn.moving] * 1.001).all()


def test_a_keyframe_in_which_the_feet_are_cut_off_takes_what_the_others_say() -> None:
    drawn, still = _drawn(), _still(True)
    labels = drawn.labels.copy()
    labels[2, 52:] = 0
    things = Things(labels, np.zeros(2, int))
    depth = place_things(things, still, drawn.flows, lambda _place: None, np.arange(COUNT) / 4)
    assert float(depth[2][torch.from_numpy(labels[2] > 0)].median()) == pytest.approx(DEPTHS[2], rel=0.08)


def test_where_a_network_sees_depth_its_relief_is_kept_and_its_outliers_are_not() -> None:
    drawn = _drawn()
    relief = 1 + 0.05 * torch.sin(torch.arange(W) / 3.0)
    expected = torch.tensor(DEPTHS)[:, None, None] * relief.expand(COUNT, H, W)
    expected[3] *= 0.6
    things = find_things(drawn.moving, drawn.images, drawn.flows)
    depth = place_things(things, _still(True, expected), drawn.flows, lambda _place: None, np.arange(COUNT) / 4)
    for place, true in enumerate(DEPTHS):
        found = depth[place][40][drawn.moving[place][40]] / true
        assert found.numpy() == pytest.approx(relief[drawn.moving[place][40]].numpy(), rel=0.08)


def test_the_more_a_network_is_believed_the_closer_its_depth_is_followed() -> None:
    """It sees the square where it is on average, and not that it comes nearer, as its size says."""
    drawn = _drawn()
    expected = torch.full((COUNT, H, W), float(np.mean(DEPTHS)))
    things, change = find_things(drawn.moving, drawn.images, drawn.flows), []
    for error in (0.3, 0.01):
        still = dataclasses.replace(_still(True, expected), expected_error=error)
        depth = place_things(things, still, drawn.flows, lambda _place: None, np.arange(COUNT) / 4)
        first, last = (float(depth[place][drawn.moving[place]].median()) for place in (0, -1))
        change.append(first / last - 1)
    assert change == [pytest.approx(DEPTHS[0] / DEPTHS[-1] - 1, rel=0.3), pytest.approx(0, abs=0.05)]


def test_what_a_longer_lens_enlarges_does_not_come_nearer() -> None:
    """The network believes what it sees; lenses that grow longer by just so much say that the distance is the same."""
    drawn = _drawn()
    expected = torch.tensor(DEPTHS)[:, None, None].expand(COUNT, H, W).clone()
    things, change = find_things(drawn.moving, drawn.images, drawn.flows), []
    for power in (0.0, 1.0):
        still = _still(True, expected)
        longer = (DEPTHS[0] / torch.tensor(DEPTHS)) ** power
        viewmats = torch.diag_embed(torch.stack([longer, longer, torch.ones(COUNT), torch.ones(COUNT)], 1))
        still = dataclasses.replace(still, viewmats=viewmats, expected_error=0.3)
        depth = place_things(things, still, drawn.flows, lambda _place: None, np.arange(COUNT) / 4)
        first, last = (float(depth[place][drawn.moving[place]].median()) for place in (0, -1))
        change.append(first / last - 1)
    assert change == [pytest.approx(DEPTHS[0] / DEPTHS[-1] - 1, rel=0.15), pytest.approx(0, abs=0.06)]


def test_without_things_depth_is_that_of_what_is_still() -> None:
    still = _still(True)
    nothing = Things(np.zeros((COUNT, H, W), np.int32), np.zeros(1, int))
    assert place_things(nothing, still, _drawn().flows, lambda _place: None, np.arange(COUNT) / 4) is still.depth


def test_what_does_not_stand_there_does_not_take_the_shape_of_the_ground() -> None:
    drawn, still = _drawn(), _still(True)
    slanted = still.depth * torch.linspace(0.8, 1.6, W)
    floor = Still(slanted, still.confidence, None, still.viewmats, F, parallax=False)
    # The same thing on its feet, and with another one before these.
    hidden = drawn.labels.copy()
    hidden[:, 58:72][drawn.labels[:, 58:72] > 0] = 2
    upper = torch.from_numpy(hidden == 1)
    upper[:, 50:] = False
    spreads = []
    for labels, count in ((drawn.labels, 2), (hidden, 3)):
        things = Things(labels, np.zeros(count, int))
        depth = place_things(things, floor, drawn.flows, lambda _place: None, np.arange(COUNT) / 4)
        spreads.append([float(depth[n][upper[n]].max() / depth[n][upper[n]].min()) for n in range(COUNT)])
    assert min(spreads[0]) > 1.02
    assert max(spreads[1]) == pytest.approx(1.0, abs=1e-5)
