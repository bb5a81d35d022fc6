"""How methods are typed."""

from __future__ import annotations

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.methods.method_text import parse_method, split_methods


def test_settings_stay_with_their_method() -> None:
    assert split_methods("ours:steps=0,reconstructor=network, repeat,ours") == [
        "ours:steps=0,reconstructor=network",
        "repeat",
        "ours",
    ]
    assert parse_method("ours:steps=0,reconstructor=network") == ("ours", {"steps": "0", "reconstructor": "network"})
    assert parse_method("repeat") == ("repeat", {})


@pytest.mark.parametrize("text", ["", ",", "a,a"])
def test_lists_that_mean_nothing(text: str) -> None:
    with pytest.raises(SettingsError, match="--methods"):
        split_methods(text)


@pytest.mark.parametrize("text", ["ours:steps", "ours:steps="])
def test_settings_without_a_value(text: str) -> None:
    with pytest.raises(SettingsError, match="key=value"):
        parse_method(text)
