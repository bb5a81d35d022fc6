"""The similarity between the world of given cameras and that of the scene that was made with them."""

from __future__ import annotations

from typing import Any

import torch

from neoverse_ns.geometry.alignment import Sim3

GIVEN_WORLD = "given_world"
"""Key of a scene's report; only scenes whose cameras are exactly the given ones have it."""


def describe_world(sim3: Sim3) -> dict[str, Any]:
    """What a scene's report says of the map from the given world's points to the scene's."""
    return {GIVEN_WORLD: {"scale": float(sim3.scale), "R": sim3.R.tolist(), "t": sim3.t.tolist()}}


def given_world(report: dict[str, Any]) -> Sim3 | None:
    """The map from the given world's points to the scene's; None where the cameras were found, or merely told to a
    network, which need not heed them.

    Args:
        report: Of the scene's geometry.
    """
    found = report.get(GIVEN_WORLD)
    if found is None:
        return None
    scale, R, t = (torch.tensor(found[name], dtype=torch.float64) for name in ("scale", "R", "t"))
    return Sim3(scale, R, t)


def cameras_given(report: dict[str, Any]) -> bool:
    """Whether a scene's cameras are known: then nothing may move them."""
    return GIVEN_WORLD in report
