"""The picture of how the rooms of the package depend on each other: it can be drawn, since they form no circle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import pytest
from draw_architecture import dependencies, picture, reduced  # pyright: ignore


def test_rooms_form_no_circle() -> None:
    rooms = dependencies()
    assert {"clip", "reconstruct", "render", "api", "plugin"} <= set(rooms)
    try:
        TopologicalSorter(rooms).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert picture().count("-->") == sum(map(len, reduced(rooms).values()))
