"""Usual mistakes in data sets are recognised and named, and good data is left in peace."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
import torch

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.check.measures import FEWEST, measure, observe
from neoverse_ns.training.data.check.pair import read_pair
from neoverse_ns.training.data.check.suspicions import ENOUGH, typical, what_is_wrong
from neoverse_ns.training.data.sets.worlds import WorldClip
from neoverse_ns.training.data.truth import ClipInfo, Displacement, FrameTruth, TruthClip

FIRST, SECOND, FRAMES = 4, 6, 9
OPENGL = torch.diag(torch.tensor([1.0, -1, -1, 1], dtype=torch.float64))
Change = Callable[[FrameTruth], FrameTruth]
Move = Callable[["Kept", int, int], Displacement | None]


class Kept(TruthClip):
    """Two frames of a world, rendered once, with a mistake in them."""

    def __init__(self, seed: int) -> None:
        clip = WorldClip(seed, 168, 98, FRAMES)
        self.info: ClipInfo = clip.info
        self._frames = {index: clip.frame(index) for index in (FIRST, SECOND)}
        ends = (SECOND, 2 * FIRST - SECOND)
        self.moves = {other: clip.displacement(FIRST, other) for other in ends}
        self.change: Change | None = None
        self.move: Move | None = None

    def frame(self, index: int) -> FrameTruth:
        return self._frames[index] if self.change is None else self.change(self._frames[index])

    def displacement(self, index: int, other: int) -> Displacement | None:
        return self.moves[other] if self.move is None else self.move(self, index, other)


@cache
def kept() -> list[Kept]:
    return [Kept(seed) for seed in (0, 1, 4)]


def findings(change: Change | None = None, move: Move | None = None) -> list[str]:
    pairs = []
    for clip in kept():
        clip.change, clip.move = change, move
        pair = read_pair(clip, FIRST, SECOND)
        assert pair is not None
        pairs.append(pair)
    seen = [observe(pair) for pair in pairs]
    return what_is_wrong(pairs, seen, [measure(pair, flow) for pair, flow in zip(pairs, seen, strict=True)])


def posed(change: Callable[[torch.Tensor], torch.Tensor]) -> Change:
    def changed(frame: FrameTruth) -> FrameTruth:
        assert frame.c2w is not None
        return replace(frame, c2w=change(frame.c2w))

    return changed


def deep(change: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Change:
    def changed(frame: FrameTruth) -> FrameTruth:
        assert frame.depth is not None
        return replace(frame, depth=change(frame.depth, frame.K).float())

    return changed


def along_ray(depth: torch.Tensor, K: torch.Tensor) -> torch.Tensor:
    ray = (pixel_centres(*depth.shape, torch.float64) - K[:2, 2]) / torch.stack([K[0, 0], K[1, 1]])
    return depth * (1 + ray.square().sum(-1)).sqrt()


def doubled_K(frame: FrameTruth) -> FrameTruth:
    return replace(frame, K=torch.tensor([[2.0], [2], [1]], dtype=torch.float64) * frame.K)


def in_camera_axes(clip: Kept, index: int, other: int) -> Displacement | None:
    found, pose = clip.moves[other], clip.frame(index).c2w
    assert found is not None
    assert pose is not None
    return Displacement((found.world.double() @ pose[:3, :3]).float(), found.valid)


def opposite(clip: Kept, _index: int, other: int) -> Displacement | None:
    found = clip.moves[other]
    assert found is not None
    return Displacement(-found.world, found.valid)


def exchanged(clip: Kept, index: int, other: int) -> Displacement | None:
    return clip.moves[2 * index - other]


def test_good_data_is_left_in_peace() -> None:
    assert findings() == []
    kept()[0].change = kept()[0].move = None
    pair = read_pair(kept()[0], FIRST, SECOND)
    assert pair is not None
    found = measure(pair, observe(pair))
    assert found.still < ENOUGH < found.length
    assert found.depth < 1e-4
    assert found.colour < 0.5 * found.unmoved


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (posed(torch.linalg.inv), "poses are inverted"),
        (posed(lambda c2w: c2w @ OPENGL), "OpenGL's axes .* instead of OpenCV's"),
        (posed(lambda c2w: torch.linalg.inv(c2w @ OPENGL)), "world-to-camera, and have OpenGL's axes"),
        (doubled_K, "pictures of another size"),
        (deep(lambda depth, _: depth * 100), "another unit than the poses: times 0.01"),
        (deep(along_ray), "distance along the ray"),
    ],
)
def test_mistakes_in_cameras_and_depth_are_named(change: Change, words: str) -> None:
    (sentence,) = findings(change)
    assert re.search(words, sentence)


@pytest.mark.parametrize(
    ("move", "words"),
    [
        (exchanged, "forward and backward motion are exchanged"),
        (opposite, "opposite sign"),
        (in_camera_axes, "camera's axes"),
    ],
)
def test_mistakes_in_motion_are_named(move: Move, words: str) -> None:
    (sentence,) = findings(None, move)
    assert sentence.startswith("what moves is off by")
    assert words in sentence


def test_nothing_is_said_of_what_cannot_be_told() -> None:
    assert typical([float("nan"), 3.0, 1.0, 2.0]) == 2
    kept()[0].change, kept()[0].move = posed(torch.linalg.inv), None
    pair = read_pair(kept()[0], FIRST, SECOND)
    kept()[0].change = None
    assert pair is not None
    blank = replace(pair, rgb=torch.zeros_like(pair.rgb))
    seen = observe(blank)
    assert int(seen.sure.sum()) < FEWEST
    assert not [sentence for sentence in what_is_wrong([blank], [seen], [measure(blank, seen)]) if "flow:" in sentence]
