"""Usual mistakes in data sets are recognised and named, and good data is left in peace."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.geometry.se3 import assemble, so3_exp
from neoverse_ns.training.data.check.measures import FEWEST, measure, observe
from neoverse_ns.training.data.check.pair import Pair, read_pair
from neoverse_ns.training.data.check.suspicions import ENOUGH, typical, what_is_wrong
from neoverse_ns.training.data.truth import Displacement, FrameTruth, TruthClip
from tests.training.data.synthetic_truth import SyntheticTruth, rendered

PAIRS = ((2, 3), (4, 5), (6, 7))
OPENGL = torch.diag(torch.tensor([1.0, -1, -1, 1], dtype=torch.float64))
TURNED = so3_exp(torch.tensor([0.0, 1.4, 0.0], dtype=torch.float64))
"""Turns the whole world, so that its axes are far from the cameras'."""
Change = Callable[[FrameTruth], FrameTruth]
Move = Callable[[int, int], Displacement | None]


class Wrong(SyntheticTruth):
    """The synthetic clip with a mistake in it."""

    def __init__(self, change: Change | None, move: Move | None) -> None:
        super().__init__()
        self._change, self._move = change, move

    def frame(self, index: int) -> FrameTruth:
        frame = super().frame(index)
        return frame if self._change is None else self._change(frame)

    def displacement(self, index: int, other: int) -> Displacement | None:
        return super().displacement(index, other) if self._move is None else self._move(index, other)


def true_motion(index: int, other: int) -> Displacement:
    found = SyntheticTruth().displacement(index, other)
    assert found is not None
    return found


def pair_of(clip: TruthClip, index: int, other: int) -> Pair:
    pair = read_pair(clip, index, other)
    assert pair is not None
    return pair


def findings(change: Change | None = None, move: Move | None = None) -> list[str]:
    pairs = [pair_of(Wrong(change, move), *numbers) for numbers in PAIRS]
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
    ray = (pixel_centres(depth.shape[0], depth.shape[1], torch.float64) - K[:2, 2]) / torch.stack([K[0, 0], K[1, 1]])
    return depth * (1 + ray.square().sum(-1)).sqrt()


def doubled_K(frame: FrameTruth) -> FrameTruth:
    return replace(frame, K=torch.tensor([[2.0], [2], [1]], dtype=torch.float64) * frame.K)


def in_camera_axes(index: int, other: int) -> Displacement:
    found = true_motion(index, other)
    return Displacement((found.world.double() @ rendered().cameras.c2w[index][:3, :3]).float(), found.valid)


def opposite(index: int, other: int) -> Displacement:
    found = true_motion(index, other)
    return Displacement(-found.world, found.valid)


def exchanged(index: int, other: int) -> Displacement:
    return true_motion(index, 2 * index - other)


def world_turned(c2w: torch.Tensor) -> torch.Tensor:
    return assemble(TURNED, torch.zeros(3, dtype=torch.float64)) @ c2w


def test_good_data_is_left_in_peace() -> None:
    assert findings() == []
    pair = pair_of(SyntheticTruth(), *PAIRS[0])
    found = measure(pair, observe(pair))
    assert found.still < ENOUGH < found.length
    assert found.depth < 1e-3
    assert found.colour < 0.5 * found.unmoved
    assert found.valid == 1


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


def test_exchanged_motion_is_named() -> None:
    # Things that hardly change their pace move back as they came.
    for move in (exchanged, opposite):
        (sentence,) = findings(None, move)
        assert re.search("what moves is off by .*(forward and backward motion are exchanged|opposite sign)", sentence)


def test_motion_in_the_cameras_axes_is_named() -> None:
    (sentence,) = findings(posed(world_turned), in_camera_axes)
    assert re.search("what moves is off by .* in the camera's axes where the world's are needed", sentence)


def test_nothing_is_said_of_what_cannot_be_told() -> None:
    assert typical([float("nan"), 3.0, 1.0, 2.0]) == 2
    pair = pair_of(Wrong(posed(torch.linalg.inv), None), *PAIRS[0])
    blank = replace(pair, rgb=torch.zeros_like(pair.rgb))
    seen = observe(blank)
    assert int(seen.sure.sum()) < FEWEST
    # Depth contradicts itself; of flow, which cannot be measured, nothing is said.
    assert not [sentence for sentence in what_is_wrong([blank], [seen], [measure(blank, seen)]) if "flow:" in sentence]
