"""The synthetic yard with something of it changed."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.clip.synthetic.alter import Alter, doubled, moved, without

SIZE = dict(num_frames=3, width=48, height=28)


def rendered(alter: Alter | None = None) -> SyntheticClip:
    return render_synthetic(**SIZE, alter=alter)


@pytest.fixture(scope="module")
def plain() -> SyntheticClip:
    return rendered()


def test_what_is_not_changed_is_the_same_to_the_bit(plain: SyntheticClip) -> None:
    same = rendered(lambda scene: list(scene))
    assert torch.equal(same.frames, plain.frames)
    assert torch.equal(same.depth, plain.depth)
    assert torch.equal(same.cameras.c2w, plain.cameras.c2w)


def test_a_thing_left_out_shows_what_is_behind(plain: SyntheticClip) -> None:
    less = rendered(without(things=[1]))
    there = plain.things == 1
    assert there.any()
    assert not (less.things == 1).any()
    assert (less.depth[there] > plain.depth[there]).all()
    # Outlines are antialiased, so the pixels around it may change too.
    near = torch.nn.functional.max_pool2d(there[:, None].float(), 3, 1, 1)[:, 0] > 0
    assert torch.equal(less.frames[~near], plain.frames[~near])


def test_solids_are_left_out_by_their_place(plain: SyntheticClip) -> None:
    assert len(without(solids=[0, 2])([*range(0)])) == 0
    less = rendered(without(solids=[2]))
    assert not torch.equal(less.frames, plain.frames)
    assert torch.equal(less.things > 0, plain.things > 0) or (less.things > 0).sum() >= (plain.things > 0).sum()


def test_a_thing_moves_and_is_doubled_by_the_same_offset(plain: SyntheticClip) -> None:
    offset = (0.0, -0.4, 0.0)
    shifted, both = rendered(moved(1, offset)), rendered(doubled(1, offset, number=9))
    assert not torch.equal(shifted.things == 1, plain.things == 1)
    assert torch.equal(both.things == 9, shifted.things == 1) or ((both.things == 9) <= (shifted.things == 1)).all()
    assert ((both.things == 1) <= (plain.things == 1)).all()
    assert (both.things == 1).any()
