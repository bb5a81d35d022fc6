"""What moves is followed through the source's own frames in between, whole, and along one path in depth."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.projection import project
from neoverse_ns.reconstruct.base import Reconstruction
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.depth_anything.reconstructor import DepthAnythingReconstructor
from neoverse_ns.reconstruct.split import split_frames
from neoverse_ns.reconstruct.tracking_guard import Tracking, usable_tracking
from tests.reconstruct.depth_anything.stand_in import ExactNetwork
from tests.reconstruct.depth_anything.walking_scene import HEIGHT, SAMPLED, WIDTH, Walk, film_walk

CONFIG = DepthAnythingConfig(process_resolution=336)
SPLIT = split_frames(SAMPLED, held_out_every=4)


@pytest.fixture(scope="module")
def walk() -> Walk:
    return film_walk()


@pytest.fixture(scope="module")
def followed(walk: Walk) -> Reconstruction:
    return _reconstruct(walk, "m0")


def _reconstruct(walk: Walk, tracking: Tracking, network: ExactNetwork | None = None) -> Reconstruction:
    lift = LiftConfig(background=False, far_field=False, sharpening=0)
    made = DepthAnythingReconstructor(CONFIG, lift, network or ExactNetwork(walk.truth))
    return made.reconstruct(usable_tracking(walk.clip, SPLIT, tracking), SPLIT)


def _astray(found: Reconstruction, walk: Walk) -> Tensor:
    """Distances in pixels between where the walker's Gaussians are in held-out frames and where they should be."""
    errors = []
    for held_out in SPLIT.held_out:
        for frame in (held_out - 1, held_out + 1):
            gaussians, number = found.gaussians.frames, found.geometry.keyframes.index(frame)
            mine = gaussians[gaussians.keyframe == number]
            before, _ = project(mine.means, found.cameras.viewmats[frame], found.cameras.K[frame])
            column, row = before.floor().long().unbind(-1)
            column, row = column.clamp(0, WIDTH - 1), row.clamp(0, HEIGHT - 1)
            there = at_time(mine, float(walk.clip.times[held_out]))
            now, _ = project(there.means, found.cameras.viewmats[held_out], found.cameras.K[held_out])
            true, walks = walk.seen_from(frame, held_out)
            walks = (walks & found.geometry.dynamic[number])[row, column][there.index]
            errors.append((now - true[row, column][there.index]).norm(dim=1)[walks])
    return torch.cat(errors)


def test_gaussians_are_where_the_walker_is_between_keyframes(walk: Walk, followed: Reconstruction) -> None:
    assert DepthAnythingReconstructor.uses_tracking
    with_all, without = _astray(followed, walk), _astray(_reconstruct(walk, "none"), walk)
    guarded = _astray(_reconstruct(walk, "m1"), walk)
    assert min(len(with_all), len(guarded), len(without)) > 10_000
    # Between keyframes the walker goes 15 pixels, farther than flow reaches by itself.
    assert float(without.median()) > 8
    assert float(with_all.median()) < 0.5
    assert float(guarded.median()) < 0.6 * float(without.median())
    assert float(with_all.mean()) < float(guarded.mean()) < 0.8 * float(without.mean())


def test_every_frame_in_which_the_walker_is_seen_carries_him(walk: Walk, followed: Reconstruction) -> None:
    geometry, gaussians = followed.geometry, followed.gaussians.frames
    assert geometry.keyframes == SPLIT.train
    assert geometry.things is not None
    assert torch.equal(geometry.things > 0, geometry.dynamic)
    for number, frame in enumerate(geometry.keyframes):
        walks = walk.truth.dynamic[frame]
        found = geometry.dynamic[number]
        assert float((walks & found).sum() / (walks | found).sum()) > 0.8
        count = int((gaussians.keyframe == number).sum())
        if frame in SPLIT.keyframes:
            assert count == WIDTH * HEIGHT
        else:
            assert float(found.sum()) <= count < 0.5 * WIDTH * HEIGHT


def test_he_is_the_same_thing_in_all_frames(walk: Walk, followed: Reconstruction) -> None:
    assert followed.geometry.things is not None
    largest = [int(things[things > 0].mode().values) for things in followed.geometry.things]
    assert len(set(largest)) == 1


def test_depth_that_jumps_from_frame_to_frame_is_evened(walk: Walk) -> None:
    """The network's own errors of a quarter leave a tenth at most; one that knows the truth loses hardly any of it."""
    for noise, most in ((0.25, 0.1), (0.0, 0.03)):
        network = ExactNetwork(walk.truth, thing_noise=noise)
        found = _reconstruct(walk, "m0", network).geometry
        walks = walk.truth.dynamic[found.keyframes] & found.dynamic
        ratio = found.depth / walk.truth.depth[found.keyframes]
        ratio = (ratio / ratio[~found.dynamic].median()).log().abs()
        wrong = torch.stack([r[w].median() for r, w in zip(ratio, walks, strict=True)])
        assert float(wrong.mean()) < most
