"""Which reconstructor runs: chosen by name, or the best one that can run here."""

from __future__ import annotations

from collections.abc import Callable

from neoverse_ns.console import say
from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.base import Reconstructor
from neoverse_ns.reconstruct.bundle.reconstructor import BundleReconstructor
from neoverse_ns.reconstruct.config import SceneConfig


def _bundle(config: SceneConfig) -> Reconstructor:
    return BundleReconstructor(config.bundle, config.lift)


def _da3(config: SceneConfig) -> Reconstructor:
    from neoverse_ns.reconstruct.depth_anything.reconstructor import DepthAnythingReconstructor

    return DepthAnythingReconstructor(config.da3, config.lift)


RECONSTRUCTORS: dict[str, Callable[[SceneConfig], Reconstructor]] = {"bundle": _bundle, "da3": _da3}


def resolve_reconstructor(name: str) -> str:
    """Turn `auto` into the name of the reconstructor that will run, and say which and why."""
    if name == "auto":
        say("reconstructor: bundle (optical flow and bundle adjustment; needs no weights)")
        return "bundle"
    if name not in RECONSTRUCTORS:
        raise SettingsError(f"unknown reconstructor '{name}': choose one of auto, {', '.join(RECONSTRUCTORS)}")
    return name


def get_reconstructor(config: SceneConfig) -> Reconstructor:
    """Build the reconstructor that `config.reconstructor` names."""
    return RECONSTRUCTORS[resolve_reconstructor(config.reconstructor)](config)
