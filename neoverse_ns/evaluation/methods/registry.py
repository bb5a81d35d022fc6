"""Methods that show views, by the words of the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.judges.views.task import ViewMethod
from neoverse_ns.evaluation.methods.method_text import parse_method
from neoverse_ns.evaluation.methods.ours import Ours, OursConfig
from neoverse_ns.evaluation.methods.parts import PARTS, with_part
from neoverse_ns.reconstruct.registry import RECONSTRUCTORS

OURS_OPTIONS = {
    "reconstructor": "bundle, network, da3 or auto",
    "steps": "most steps of optimisation, 0 for none",
    "keyframes": "how many inputs carry Gaussians",
    "refiner": "none, telea, internal or wan",
    "device": "cpu or cuda",
    "opacity": "weight of what keeps pictures opaque while optimising, 0 for none",
    "motion": "both, forward or none: which motion Gaussians have",
    "nearest": "True draws the nearer keyframe's Gaussians alone",
    "degradation": "False teaches the internal refiner on clean drawings",
}
"""What may stand behind `ours:`, as `name=value,...`."""


def view_method(text: str, device: str | None = None, base: OursConfig | None = None) -> ViewMethod:
    """A method by its word: `ours`, `ours:reconstructor=bundle,steps=500,refiner=none`, `repeat`, `flow`.

    Args:
        text: The word.
        device: Where it shall run; by default on a CUDA device where there is one.
        base: Settings of ours that the word changes.

    Raises:
        SettingsError: There is no such method, or an option is none of its.
    """
    name, _, options = text.partition(":")
    if name not in VIEW_METHODS:
        raise SettingsError(f"no method '{name}' shows views; there are {', '.join(VIEW_METHODS)}")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return VIEW_METHODS[name](options, device, base or OursConfig())


def _ours(options: str, device: str, base: OursConfig) -> ViewMethod:
    config = replace(base, device=device)
    for name, value in parse_method(f"ours:{options}")[1].items():
        if name == "reconstructor":
            config = replace(config, scene=replace(config.scene, reconstructor=_reconstructor(value)))
        elif name == "steps":
            config = replace(config, optimise=replace(config.optimise, steps=_count(name, value)))
        elif name == "keyframes":
            config = replace(config, scene=replace(config.scene, num_keyframes=_count(name, value)))
        elif name == "device":
            config = replace(config, device=value)
        elif name == "refiner":
            config = replace(config, refiner=replace(config.refiner, refiner=value))
        elif name in PARTS:
            config = with_part(config, name, value)
        else:
            known = "; ".join(f"{option}: {what}" for option, what in OURS_OPTIONS.items())
            raise SettingsError(f"ours has no option '{name}': {known}")
    return Ours(config)


def _repeat(options: str, device: str, base: OursConfig) -> ViewMethod:
    from neoverse_ns.evaluation.methods.repeat import Repeat

    return _without("repeat", options, Repeat)


def _flow(options: str, device: str, base: OursConfig) -> ViewMethod:
    from neoverse_ns.evaluation.methods.flow_interpolation import FlowInterpolation

    return _without("flow", options, FlowInterpolation)


def _without(name: str, options: str, kind: Callable[[], ViewMethod]) -> ViewMethod:
    if options:
        raise SettingsError(f"{name} has no options, got '{options}'")
    return kind()


def _reconstructor(value: str) -> Any:
    if value not in ("auto", *RECONSTRUCTORS):
        raise SettingsError(f"reconstructor must be auto, {', '.join(RECONSTRUCTORS)}, got '{value}'")
    return value


def _count(name: str, value: str) -> int:
    if not value.isdecimal():
        raise SettingsError(f"{name} must be a whole number, got '{value}'")
    return int(value)


VIEW_METHODS: dict[str, Callable[[str, str, OursConfig], ViewMethod]] = {
    "ours": _ours,
    "repeat": _repeat,
    "flow": _flow,
}
"""Makes a method of its options."""
