"""What `--view` may say."""

from __future__ import annotations

import pytest

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.view.choice import Direction, ViewChoice, parse_view
from neoverse_ns.errors import SettingsError


def test_choices() -> None:
    assert parse_view("auto") == ViewChoice(auto=True)
    assert parse_view("none") == ViewChoice()
    assert parse_view("right") == ViewChoice(half="right")
    assert parse_view("-30,5.5,90") == ViewChoice(direction=Direction(-30.0, 5.5, 90.0))
    assert parse_view("top, 0, 0, 60") == ViewChoice(half="top", direction=Direction(0.0, 0.0, 60.0))


@pytest.mark.parametrize("text", ["", "up", "1,2", "1,2,3,4", "left,1", "rightly", "0,0,nan", "inf,0,90", "left,"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="view"):
        ClipConfig(view=text).validate()


@pytest.mark.parametrize("text", ["0,91,90", "0,-91,90", "0,0,131", "0,0,4", "0,0,-90"])
def test_views_that_no_plain_picture_shows(text: str) -> None:
    with pytest.raises(SettingsError, match="out of range"):
        ClipConfig(view=text).validate()
