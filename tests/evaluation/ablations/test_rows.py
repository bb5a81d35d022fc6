"""Rows as settings of a method."""

from __future__ import annotations

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.ablations.rows import ROWS, chosen_rows, within_inputs


def test_rows_change_one_thing_of_the_method() -> None:
    base = "ours:steps=300,refiner=telea"
    assert ROWS["reconstruction"].method(base) == "ours:steps=300"
    assert ROWS["no-opacity"].method(base) == "ours:steps=300,opacity=0"
    assert ROWS["forward-motion"].method("ours") == "ours:motion=forward"
    assert ROWS["clean-generation"].method("ours") == "ours:refiner=internal,degradation=False"
    assert ROWS["generation"].method("ours", "wan") == "ours:refiner=wan"


def test_rows_come_in_the_papers_order_with_what_they_are_compared_with() -> None:
    names = [row.name for row in chosen_rows(("clean-generation", "no-opacity"), "ours")]
    assert names == ["no-opacity", "reconstruction", "generation", "clean-generation"]
    assert not any(row.timed for row in chosen_rows((), "ours"))


def test_rows_that_would_change_nothing_are_refused_or_left_out() -> None:
    with pytest.raises(SettingsError, match="no-opacity"):
        chosen_rows(("no-opacity",), "ours:steps=0")
    assert "no-opacity" not in [row.name for row in chosen_rows((), "ours:steps=0")]
    with pytest.raises(SettingsError, match="there are no-opacity"):
        chosen_rows(("opacity",), "ours")
    with pytest.raises(SettingsError, match="clean-generation changes how the refiner internal is taught"):
        chosen_rows(("clean-generation",), "ours", "telea")
    assert "clean-generation" not in [row.name for row in chosen_rows((), "ours", "telea")]


def test_rows_claim_no_more_keyframes_than_there_are_inputs() -> None:
    rows = within_inputs(chosen_rows(("keyframes-11", "keyframes-41", "keyframes-81"), "ours"), 32)
    assert [(row.name, row.title) for row in rows] == [
        ("generation", "with generation"),
        ("keyframes-11", "11 keyframes"),
        ("keyframes-32", "32 keyframes (all inputs)"),
    ]
    assert rows[-1].method("ours") == "ours:keyframes=32,refiner=internal"
