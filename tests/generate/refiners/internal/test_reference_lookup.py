"""Pixels are found again in other frames, and those that another frame does not see are not trusted."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.generate.refiners.internal.reference_lookup import References, choose_frames, sample_references
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from tests.generate.layered import HALF, SQUARE, WALL, colours_at, layered_depth, layered_source

WIDTH, HEIGHT = 64, 40


def exact_references(count: int = 5, step: float = 0.04) -> References:
    """What sideways cameras see of the square before the wall, in closed form."""
    c2w = torch.eye(4).repeat(count, 1, 1)
    c2w[:, 0, 3] = step * torch.arange(count)
    focal = 0.9 * WIDTH
    K = torch.tensor([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]]).repeat(count, 1, 1)
    depth = torch.stack([layered_depth(c, k, WIDTH, HEIGHT) for c, k in zip(c2w, K, strict=True)])[:, None]
    images = colours_at(unproject(depth[:, 0], K, c2w)).movedim(-1, 1)
    return References(images, depth, PinholeCameras(c2w, K, WIDTH, HEIGHT), torch.linspace(0, 1, count))


def test_a_frame_is_found_again_in_the_others() -> None:
    references = exact_references()
    middle = 2
    cameras = references.cameras
    seen = sample_references(
        references, references.depth[middle], cameras.K[middle], cameras.c2w[middle], 0.5, without=middle
    )
    truth = references.images[middle]
    # Away from the square's edges and from columns that only one neighbour sees.
    inner = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    inner[2:-2, 4:-4] = True
    touched = unproject(references.depth[middle, 0], cameras.K[middle], cameras.c2w[middle])
    inner &= (references.depth[middle, 0] == WALL) & (touched[..., 0].abs() - HALF * WALL > 0.3)
    assert inner.sum() > 300
    for slot in range(3):
        assert float((seen.colours[slot] - truth).abs().amax(0)[inner].max()) < 0.01
        assert float(seen.trust[slot, 0][inner].min()) > 0.99


def test_what_a_frame_does_not_see_is_not_trusted() -> None:
    references = exact_references(count=2, step=0.2)
    cameras = references.cameras
    seen = sample_references(references, references.depth[0], cameras.K[0], cameras.c2w[0], 0.0, without=0)
    points = unproject(references.depth[0, 0], cameras.K[0], cameras.c2w[0])
    there = points - cameras.c2w[1, :3, 3]
    # Where the line from the other camera to the wall crosses the square.
    crossing = (cameras.c2w[1, :3, 3] + there * (SQUARE / WALL))[..., :2].abs()
    hidden = (references.depth[0, 0] == WALL) & (crossing < HALF - 0.03).all(-1)
    column = there[..., 0] / there[..., 2] * cameras.K[1, 0, 0] + WIDTH / 2
    outside = (column < -0.01) | (column > WIDTH + 0.01)
    assert hidden.sum() > 30
    assert outside.sum() > 30
    assert float(seen.trust[0, 0][hidden].max()) < 0.01
    assert not seen.trust[0, 0][outside].any()


def test_a_frame_left_out_has_no_influence() -> None:
    references = exact_references()
    images = references.images.clone()
    images[3] = 99
    changed = dataclasses.replace(references, images=images)
    view = (references.depth[3], references.cameras.K[3], references.cameras.c2w[3], 0.75)
    assert torch.equal(
        sample_references(references, *view, without=3).colours, sample_references(changed, *view, without=3).colours
    )
    assert not torch.equal(sample_references(references, *view).colours, sample_references(changed, *view).colours)


def test_a_single_frame_gives_one_slot_and_no_frame_none() -> None:
    references = exact_references(count=1)
    view = (references.depth[0], references.cameras.K[0], references.cameras.c2w[0], 0.0)
    alone = sample_references(references, *view)
    assert float(alone.trust[0].min()) > 0.99
    assert not alone.trust[1:].any()
    assert not sample_references(references, *view, without=0).trust.any()


@pytest.mark.parametrize(
    ("time", "near", "first_others"),
    [(0.52, [5, 6], [4, 7]), (0.58, [5, 6], [7, 4]), (-0.2, [0, 1], [2, 3]), (1.0, [10, 9], [8, 7])],
)
def test_the_nearest_frames_on_both_sides_come_first(time: float, near: list[int], first_others: list[int]) -> None:
    times = torch.linspace(0, 1, 11)
    found, others = choose_frames(times, time, torch.ones(11, dtype=torch.bool))
    assert found == near
    assert others[:2] == first_others
    assert not set(found) & set(others)


def test_depth_of_the_clips_frames_is_drawn_from_its_gaussians() -> None:
    source = layered_source(count=3)
    references = References.of(source)
    exact = layered_depth(source.cameras.c2w[1], source.cameras.K[1], source.cameras.width, source.cameras.height)
    error = (references.depth[1, 0] - exact).abs() / exact
    assert float(error.median()) < 0.01
    assert torch.equal(references.images[1], source.frames[1].movedim(-1, 0) / 255)
