"""Switches of our method: each changes the one setting that it names."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.ablations.rows import ROWS
from neoverse_ns.evaluation.methods.ours import Ours
from neoverse_ns.evaluation.methods.registry import view_method
from neoverse_ns.optimise.losses import photometric_losses


def changed(value: Any, usual: Any, name: str = "") -> dict[str, Any]:
    """What differs from the usual settings, by dotted names."""
    if not isinstance(value, dict):
        return {} if value == usual else {name: value}
    parts = [changed(value[key], usual[key], f"{name}.{key}".strip(".")) for key in value]
    return {key: found for part in parts for key, found in part.items()}


def ours(text: str) -> Ours:
    method = view_method(text)
    assert isinstance(method, Ours)
    return method


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("no-opacity", {"optimise.losses.opacity": 0.0}),
        ("forward-motion", {"optimise.motion": "forward"}),
        ("static", {"optimise.motion": "none"}),
        ("nearest", {"optimise.nearest_keyframe_only": True}),
        ("reconstruction", {}),
        ("generation", {"refiner.refiner": "internal"}),
        (
            "clean-generation",
            {
                "refiner.refiner": "internal",
                "refiner.internal.degradation.enabled": False,
                "refiner.internal.plain": 0.0,
            },
        ),
        ("keyframes-21", {"scene.num_keyframes": 21, "refiner.refiner": "internal"}),
    ],
)
def test_a_row_changes_what_it_names(row: str, expected: dict[str, object]) -> None:
    assert changed(ours(ROWS[row].method("ours")).settings(), ours("ours").settings()) == expected


def test_without_its_weight_opacity_costs_nothing() -> None:
    rgb, alpha = torch.zeros(16, 16, 3), torch.full((16, 16, 1), 0.25)
    usual, without = (ours(text).config.optimise.losses for text in ("ours", "ours:opacity=0"))
    assert float(photometric_losses(rgb, alpha, rgb, usual)["opacity"]) == pytest.approx(0.75 * usual.opacity)
    assert "opacity" not in photometric_losses(rgb, alpha, rgb, without)


@pytest.mark.parametrize("text", ["motion=back", "opacity=-1", "opacity=much", "nearest=yes", "degradation=0"])
def test_other_values_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=text.partition("=")[0]):
        view_method(f"ours:{text}")
