"""Rows as settings of a method."""

from __future__ import annotations

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.ablations.rows import ROWS, chosen_rows


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
