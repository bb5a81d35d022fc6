"""Parts of our method that can be left out by a word, to see what they are worth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.methods.ours import OursConfig
from neoverse_ns.gaussians.motion_kept import Motion


def with_part(config: OursConfig, name: str, value: str) -> OursConfig:
    """The same settings with one part changed.

    Args:
        config: Settings.
        name: One of `PARTS`.
        value: As typed.

    Raises:
        SettingsError: The value is none of the part's.
    """
    return PARTS[name](config, value)


def _opacity(config: OursConfig, value: str) -> OursConfig:
    try:
        weight = float(value)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight >= 0):
        raise SettingsError(f"opacity must be 0 or a positive number, got '{value}'")
    losses = replace(config.optimise.losses, opacity=weight)
    return replace(config, optimise=replace(config.optimise, losses=losses))


def _motion(config: OursConfig, value: str) -> OursConfig:
    if value not in get_args(Motion):
        raise SettingsError(f"motion must be one of {', '.join(get_args(Motion))}, got '{value}'")
    return replace(config, optimise=replace(config.optimise, motion=value))


def _nearest(config: OursConfig, value: str) -> OursConfig:
    return replace(config, optimise=replace(config.optimise, nearest_keyframe_only=_switch("nearest", value)))


def _degradation(config: OursConfig, value: str) -> OursConfig:
    internal = config.refiner.internal
    if not _switch("degradation", value):
        # Frames drawn without their own Gaussians are a way of wearing the scene, too.
        degradation = replace(internal.degradation, enabled=False)
        internal = replace(internal, degradation=degradation, plain=0.0)
    return replace(config, refiner=replace(config.refiner, internal=internal))


def _switch(name: str, value: str) -> bool:
    if value not in ("True", "False"):
        raise SettingsError(f"{name} must be True or False, got '{value}'")
    return value == "True"


PARTS: dict[str, Callable[[OursConfig, str], OursConfig]] = {
    "opacity": _opacity,
    "motion": _motion,
    "nearest": _nearest,
    "degradation": _degradation,
}
"""What changes settings, by the word behind `ours:`."""
