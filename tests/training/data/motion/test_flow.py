"""Displacements of flow and depth, single and chained, against the exact motion of a rendered clip."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.motion.flow_chain import chain_links
from neoverse_ns.training.data.motion.flow_link import FlowLink, link_from_flow, link_from_world, round_trip
from neoverse_ns.training.data.motion.rigid import rigid_displacement
from neoverse_ns.training.data.motion.surface_sampling import sample_surface
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.truth import Displacement
from tests.training.data.synthetic_truth import FRAMES, HEIGHT, WIDTH, rendered, thing_poses


def view(index: int) -> View:
    return View(rendered().depth[index], rendered().cameras.K[index], rendered().cameras.c2w[index])


def exact(index: int, other: int) -> Displacement:
    return rigid_displacement(view(index), rendered().things[index], thing_poses()[index], thing_poses()[other])


def flow_between(index: int, other: int) -> torch.Tensor:
    uv, _ = view(other).project(view(index).points + exact(index, other).world.double())
    return uv - pixel_centres(HEIGHT, WIDTH, torch.float64)


def test_rigid_motion_of_one_frame_is_the_clips_flow() -> None:
    for index in range(0, FRAMES - 1, 3):
        assert (flow_between(index, index + 1) - rendered().flow[index]).norm(dim=-1).max() < 1e-3
        still = rendered().things[index] == 0
        assert (exact(index, index + 1).world[still] == 0).all()
        assert exact(index, index + 1).world[~still].norm(dim=-1).min() > 0


def test_surfaces_are_not_mixed() -> None:
    depth = torch.tensor([[1.0, 1.01, 2.0, 2.0], [1.0, 1.01, 2.0, 0.0]])
    values = torch.arange(8.0).view(2, 4, 1)
    known = depth > 0
    uv = torch.tensor([[1.0, 1.0], [1.9, 1.2], [2.2, 1.2], [3.4, 1.5], [3.4, 0.4], [-0.1, 0.5], [0.2, 0.2]])
    found, valid = sample_surface(values, known, depth, uv.double())
    assert found[:, 0].tolist()[:3] == pytest.approx([2.5, 5.0, 6.0])
    assert valid.tolist() == [True, True, True, False, True, False, True]
    assert found[4, 0] == pytest.approx(2.9), "one surface: mixed"
    assert found[6, 0] == 0, "beyond the outermost centres the border goes on"


def test_round_trips_allow_a_pixel_and_a_twentieth() -> None:
    flow = torch.zeros(6, 60, 2)
    flow[..., 0] = 20
    back = -flow
    assert round_trip(flow, back)[:, :40].all()
    assert not round_trip(flow, back)[:, 40:].any(), "leaves the image"
    assert round_trip(flow, back + torch.tensor([1.99, 0])).any()
    assert not round_trip(flow, back + torch.tensor([2.01, 0])).any()


def flow_link(index: int, other: int) -> FlowLink:
    return link_from_flow(view(index), view(other), flow_between(index, other), None, flow_between(other, index))


def world_link(index: int, other: int) -> FlowLink:
    found = exact(index, other)
    return link_from_world(view(index), view(other), found.world, found.valid)


def depth_link(index: int, other: int) -> FlowLink:
    _, z = view(other).project(view(index).points + exact(index, other).world.double())
    return link_from_flow(view(index), view(other), flow_between(index, other), depth_then=z)


def test_links_of_exact_flow_are_exact() -> None:
    truth = exact(4, 5).world.double()
    moving = rendered().things[4] > 0
    for link, tolerance in ((flow_link, 0.03), (depth_link, 1e-5), (world_link, 1e-9)):
        found = link(4, 5)
        error = (found.world - truth).norm(dim=-1)
        assert error[found.valid].quantile(0.9) < tolerance * view(4).depth.median()
        assert (error / view(4).depth)[found.valid & moving].median() < tolerance / 10
        assert found.valid.float().mean() > 0.85
        assert (found.flow - flow_between(4, 5))[found.valid].abs().max() < 1e-6
        assert not (found.seen & ~found.valid).any()
    assert world_link(4, 5).valid.all(), "the truth knows hidden targets"
    assert not world_link(4, 5).seen.all()


@pytest.mark.parametrize(("index", "other"), [(2, 5), (7, 4), (3, 4)])
def test_chains_add_up(index: int, other: int) -> None:
    truth = exact(index, other).world
    moving = rendered().things[index] > 0
    for link in (flow_link, depth_link, world_link):
        found = chain_links(index, other, link)
        assert found.valid.float().mean() > 0.6
        assert found.valid[moving].float().mean() > 0.5
        error = (found.world - truth).norm(dim=-1)
        length = truth.norm(dim=-1)
        assert (error[found.valid & moving] / length[found.valid & moving]).median() < 0.02
        uv, z = view(other).project(view(index).points + found.world.double())
        miss = (uv - pixel_centres(HEIGHT, WIDTH, torch.float64) - flow_between(index, other)).norm(dim=-1)
        assert miss[found.valid & (z > 0)].median() < 0.1
    if abs(other - index) == 1:
        assert torch.equal(chain_links(index, other, world_link).world, exact(index, other).world)


def test_what_is_hidden_on_the_way_is_not_followed() -> None:
    found = chain_links(2, 5, world_link)
    hidden = ~world_link(2, 3).seen
    assert hidden.any()
    assert not found.valid[hidden].any()
    with pytest.raises(ValueError, match="itself"):
        chain_links(2, 2, world_link)
