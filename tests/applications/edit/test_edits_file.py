"""Edits from JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neoverse_ns.applications.edit.edits_file import parse_colour, read_edits
from neoverse_ns.errors import SettingsError


def written(folder: Path, *edits: Any) -> Path:
    path = folder / "edits.json"
    path.write_text(json.dumps({"edits": list(edits)}), "utf8")
    return path


def test_every_field_is_read_and_global_edits_come_first(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"target": {"kind": "existing", "thing": 2}, "ops": {"remove": True}},
        {
            "target": {"kind": "duplicate", "box": [3, 4, 10, 20], "frame": 7, "mask_expansion": [6, 4]},
            "ops": [{"translate": [0.5, 0, -1]}, {"rotate": 90}, {"scale": 2}, {"recolour": "#ff8000"}],
            "scope": "global",
        },
        {"target": {"mask": "m.png@3"}, "ops": {"rotate": [0, 10, 5]}, "scope": "frame"},
        {"target": {"prompt": "white car"}, "ops": {"recolor": "blue"}},
        {"target": {"click": "5,6@1"}, "ops": {"scale": 0.5}},
    )
    (first, wide), (thing, gone), (mask, turned), (words, blue), (click, small) = read_edits(path)
    assert (first.box, first.frame, first.expand) == ((3, 4, 10, 20), 7, 6.0)
    assert wide.duplicate
    assert (wide.move, wide.rotate, wide.scale, wide.scope) == ((0.5, 0.0, -1.0), (0.0, 90.0, 0.0), 2.0, "global")
    assert wide.recolour == (1.0, 128 / 255, 0.0)
    assert (thing.thing, gone.remove, gone.scope) == (2, True, "auto")
    assert (mask.mask, mask.mask_frame) == (tmp_path / "m.png", 3)
    assert turned.rotate == (0.0, 10.0, 5.0)
    assert (words.segment, blue.recolour) == ("white car", (0.0, 0.0, 1.0))
    assert (click.click, click.frame, small.scale) == ((5.0, 6.0), 1, 0.5)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"target": {"thing": 1}, "ops": {"explode": True}}, "has no field 'explode'"),
        ({"target": {"thing": 1}}, "edits\\[0\\].ops"),
        ({"target": {"thing": 1}, "ops": {"translate": [1, 2]}}, "must hold 3 numbers"),
        ({"target": {"thing": 1, "box": [0, 0, 1, 1]}, "ops": {"remove": True}}, "--thing and --box were given"),
        ({"target": {"kind": "insert", "source": "x"}, "ops": {"scale": 2}}, "no common scale"),
        ({"target": {"kind": "other", "thing": 1}, "ops": {"scale": 2}}, "existing or duplicate"),
        ({"target": {"thing": 1}, "ops": {"scale": 2}, "scope": "all"}, "global, frame or auto"),
        ({"target": {"thing": 1}, "ops": {"recolour": "mauvish"}}, "no colour"),
        ({"target": {"thing": 1}, "ops": {}}, "nothing is to be done"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(tmp_path: Path, edit: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_edits(written(tmp_path, edit))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no edits"):
        read_edits(written(tmp_path))


def test_colours_have_names_and_codes() -> None:
    assert parse_colour("white") == (1.0, 1.0, 1.0)
    assert parse_colour(" 00ff00") == (0.0, 1.0, 0.0)
    with pytest.raises(SettingsError, match="#rrggbb"):
        parse_colour("#ff00")
