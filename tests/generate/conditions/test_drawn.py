"""Conditions drawn on demand: the pixels of the whole, no frame drawn for nothing, no more held than was asked for."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import RefinementError
from neoverse_ns.generate.base import Conditions, ConditionSource
from neoverse_ns.generate.conditions import drawn as module
from neoverse_ns.generate.conditions.drawn import DrawnConditions, pieces, render_conditions
from neoverse_ns.generate.conditions.render import CHUNK, ConditionSettings
from neoverse_ns.trajectory.files import preset_move
from tests.generate.layered import layered_source

SOURCE = layered_source()
COUNT = 3 * CHUNK + 5
PATH = preset_move("move_right", COUNT).follow(SOURCE.cameras, SOURCE.times)
FIRST = torch.full((SOURCE.cameras.height, SOURCE.cameras.width, 3), 0.25)


def source(first_frame: torch.Tensor | None = None) -> DrawnConditions:
    return DrawnConditions(SOURCE.gaussians, PATH, ConditionSettings(0.9), first_frame)


@pytest.fixture(scope="module")
def whole() -> Conditions:
    return render_conditions(SOURCE.gaussians, PATH, ConditionSettings(0.9), FIRST)


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (3, 4), (5, 21), (CHUNK, 2 * CHUNK), (COUNT - 1, COUNT), (0, COUNT)]
)
def test_a_stretch_is_the_same_whatever_is_asked_for(whole: Conditions, start: int, stop: int) -> None:
    part = source(FIRST)[start:stop]
    assert len(part) == stop - start
    for name, value in part.tensors().items():
        assert torch.equal(value, whole.tensors()[name][start:stop]), name
    assert part.first_frame == (start == 0)
    assert torch.equal(part.rgb[0], FIRST) == (start == 0)


def test_frame_by_frame_draws_every_frame_once(whole: Conditions, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    draw = module.draw_conditions
    monkeypatch.setattr(module, "draw_conditions", lambda *given: counts.append(len(given[1])) or draw(*given))
    path = source(FIRST)
    frames = [piece.rgb for piece in pieces(path, 1)]
    assert torch.equal(torch.cat(frames), whole.rgb)
    assert counts == [CHUNK, CHUNK, CHUNK, 5]
    # A window is not kept once its user has let go of it; a short stretch is.
    long = path[0 : 2 * CHUNK]
    assert counts[4:] == [2 * CHUNK]
    assert path._kept is None
    assert len(path[3:5]) == 2
    assert path._kept is not None
    assert len(path._kept[1]) == CHUNK
    assert len(long) == 2 * CHUNK


def test_both_kinds_of_conditions_are_a_source(whole: Conditions) -> None:
    for given in (whole, source(FIRST)):
        assert isinstance(given, ConditionSource)
        assert (len(given), given.height, given.width) == (COUNT, FIRST.shape[0], FIRST.shape[1])
        assert given.first_frame
        assert given.device == torch.device("cpu")
    assert not source().first_frame


@pytest.mark.parametrize("wrong", [slice(0, 9, 2), slice(4, 4), slice(COUNT, None)])
def test_what_is_no_stretch_is_refused(wrong: slice) -> None:
    with pytest.raises(RefinementError, match="neighbouring"):
        source()[wrong]


def test_time_spent_drawing_is_counted() -> None:
    path = source()
    assert path.seconds == 0
    assert len(path[0:3]) == 3
    once = path.seconds
    assert once > 0
    assert len(path[4:6]) == 2
    assert path.seconds == once
