"""Moves as users write them, and which point they are about."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.moves.choice import Subject, find_subject
from neoverse_ns.trajectory.moves.handheld import Handheld
from neoverse_ns.trajectory.moves.orbit import Orbit
from neoverse_ns.trajectory.moves.registry import DIRECTED, apply_moves, is_directed, parse_moves, read_moves
from neoverse_ns.trajectory.moves.subject import PointPath
from neoverse_ns.trajectory.presets import MOVES, MoveSize, preset
from tests.trajectory.moves.stages import Known, line, stage


def test_text_and_json_ask_for_the_same() -> None:
    text = "orbit:degrees=-90, pixel=120,80.5@12, follow=yes, start=clip + handheld:seed=3,strength=1e+0"
    document = json.loads(
        '[{"orbit": {"degrees": -90, "pixel": [120, 80.5, 12], "follow": true, "start": null}},'
        ' {"handheld": {"seed": 3, "strength": 1}}]'
    )
    expected = [Orbit(Subject(pixel=(120.0, 80.5, 12.0)), -90.0, follow=True, start=None), Handheld(seed=3)]
    assert parse_moves(text) == expected == read_moves(document)
    assert read_moves("orbit") == [Orbit()] == read_moves({"orbit": None}) == parse_moves("orbit")
    assert read_moves(["orbit", {"handheld": {}}]) == [Orbit(), Handheld()]


@pytest.mark.parametrize("name", sorted(DIRECTED))
def test_every_move_works_as_it_comes(name: str) -> None:
    given = stage(known=Known(moves=line((-0.2, 0.0, 2.0), (0.3, 0.0, 2.0))))
    assert is_directed(name)
    made = apply_moves(parse_moves(name), given)
    assert made.base.c2w.shape == given.base.c2w.shape
    assert not torch.allclose(made.base.c2w, given.base.c2w, atol=1e-4)
    assert made.times is given.times
    # And where nothing is known of the scene.
    apply_moves(parse_moves(name), stage())


def test_presets_are_presets_unless_they_stand_in_a_row() -> None:
    assert not any(is_directed(name) for name in MOVES)
    assert is_directed("pan_left:angle=20")
    assert is_directed("pan_left + handheld")
    assert is_directed("smooth+pan_left")
    assert not is_directed("path.json")
    assert not is_directed("a+b.json")
    assert not is_directed("C:orbit.json")
    given = stage()
    made = apply_moves(parse_moves("pan_left:angle=20"), given).base.c2w
    torch.testing.assert_close(made, given.base.c2w @ preset("pan_left", len(given), MoveSize(angle=20.0)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("orbit:degrees=10,degrees=20", "gives 'degrees' twice"),
        ("orbit:degrees=10,", "has a comma with nothing"),
        ("orbit:,degrees=10", "has a comma with nothing"),
        ("orbit:point=0,,1", "has a comma with nothing"),
    ],
)
def test_what_is_written_twice_or_not_at_all_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_moves(text)


@pytest.mark.parametrize("name", ["orbit", "crane"])
def test_no_move_is_about_the_cameras_own_place(name: str) -> None:
    given = stage(known=Known(depth=2.0))
    for point in ("0,0,0", "0,0,0.001"):
        with pytest.raises(SettingsError, match="stands in it"):
            apply_moves(parse_moves(f"{name}:point={point}"), given)
    apply_moves(parse_moves(f"{name}:point=0,0,0.01"), given)


def test_moves_in_a_row_build_on_each_other() -> None:
    given = stage()
    orbit, hand = Orbit(degrees=30.0), Handheld(seed=2)
    torch.testing.assert_close(
        apply_moves(parse_moves("orbit:degrees=30+handheld:seed=2"), given).base.c2w,
        hand.apply(orbit.apply(given)).base.c2w,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spin", "no camera move 'spin'; choose from orbit, dolly_zoom"),
        ("orbit+spin", "no camera move 'spin'"),
        ("orbit:angle=3", "'orbit' has no parameter 'angle'; it has degrees, radius, follow, start, point"),
        ("orbit:degrees=much", "'orbit:degrees' must be a finite number, found 'much'"),
        ("orbit:degrees=nan", "'orbit:degrees' must be a finite number"),
        ("orbit:90", "as name=value, found '90'"),
        ("orbit:point=1,2", "'orbit:point' must be 3 numbers"),
        ("orbit:follow=maybe", "'orbit:follow' must be true or false"),
        ("orbit:start=1.5", "'orbit:start' must be a whole number"),
        ("orbit:radius=0", "radius must be a finite number above 0"),
        ("orbit:thing=1,pixel=1,2,3", "give one of point, pixel and thing, not pixel and thing"),
        ("look_at:share=2", "share must lie between 0 and 1"),
        ("look_at:smooth=-1", "smooth must be 0 seconds or more"),
        ("handheld:strength=-1", "strength must be 0 or more"),
        ("handheld:speed=0", "speed must be above 0"),
        ("smooth:frames=-2", "frames must be 0 or more"),
        ("crane:arm=0", "arm must be above 0"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_moves(text)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "at least one move"),
        (3, r"'move\[0\]' must be an object"),
        ([{"orbit": {}, "smooth": {}}], r"'move\[0\]' must hold exactly one move"),
        ([{"orbit": 3}], r"'move\[0\]\.orbit' must be an object"),
        ([{"orbit": {"degrees": True}}], "'orbit:degrees' must be a finite number"),
        ([{"orbit": {"pixel": [1, 2]}}], "'orbit:pixel' must be 3 numbers"),
        ([{"orbit": {"pixel": None}}], "'orbit:pixel' must be 3 numbers"),
    ],
)
def test_bad_documents_are_named(document: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_moves(document)


def test_a_subject_is_given_picked_numbered_or_found() -> None:
    known = Known(depth=2.5, moves=None)
    given = stage(known=known, still=True)

    def place(subject: Subject) -> list[float]:
        return find_subject(subject, given, 0).at(given.times)[0].tolist()

    assert place(Subject(point=(1.0, 2.0, 3.0))) == [1, 2, 3]
    assert place(Subject(pixel=(10.0, 11.0, 4.0))) == pytest.approx([0.1, 0, 3])
    assert known.picked == [(10, 11, 4)]
    assert place(Subject(thing=2)) == [2, 0, 3]
    assert place(Subject()) == [0, 0, 2.5]
    known.moves = PointPath.resting(torch.tensor([5.0, 0, 0]))
    assert place(Subject()) == [5, 0, 0]
    unknown = stage(still=True)
    assert find_subject(Subject(), unknown, None).points.tolist() == [[0, 0, 1]]
    with pytest.raises(SettingsError, match="can only be picked in a scene"):
        find_subject(Subject(thing=1), unknown, 0)
    with pytest.raises(SettingsError, match="frame of a pixel must be a whole number"):
        find_subject(Subject(pixel=(1.0, 1.0, 0.5)), given, 0)
    with pytest.raises(SettingsError, match="start must be a sampled frame from 0 to 6, or clip, got 7"):
        parse_moves("orbit:start=7")[0].apply(given)


def test_a_path_rests_beyond_its_ends_and_may_be_one_point() -> None:
    path = PointPath(torch.tensor([0.2, 0.4, 0.8]).double(), torch.tensor([[0, 0, 0], [1, 0, 0], [1, 4, 0]]).double())
    at = path.at(torch.tensor([0.0, 0.2, 0.3, 0.4, 0.5, 0.8, 1.0]))
    expected = [[0, 0, 0], [0, 0, 0], [0.5, 0, 0], [1, 0, 0], [1, 1, 0], [1, 4, 0], [1, 4, 0]]
    torch.testing.assert_close(at, torch.tensor(expected).double(), atol=1e-6, rtol=0)
    assert PointPath.resting(torch.ones(3)).at(torch.tensor([0.0, 1.0])).tolist() == [[1, 1, 1]] * 2
