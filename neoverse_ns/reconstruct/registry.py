"""Which reconstructor runs: chosen by name, or the best one that can run here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from neoverse_ns.console import say
from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.base import Reconstructor
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.bundle.reconstructor import BundleReconstructor
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.feedforward.availability import can_run, result_identity


@dataclass(frozen=True)
class Choice:
    """A reconstructor by name, and in a few words why it is this one."""

    name: str
    reason: str


def _bundle(config: SceneConfig) -> Reconstructor:
    return BundleReconstructor(config.bundle, config.lift, config.priors)


def _network(config: SceneConfig) -> Reconstructor:
    # The network's modules are not light, and no other reconstructor needs them.
    from neoverse_ns.reconstruct.feedforward.reconstructor import NetworkReconstructor

    return NetworkReconstructor(config.network, config.priors)


def _da3(config: SceneConfig) -> Reconstructor:
    from neoverse_ns.reconstruct.depth_anything.reconstructor import DepthAnythingReconstructor

    if config.priors.any:
        say("the da3 reconstructor does not use known poses, intrinsics or depth; --reconstructor network does")
    return DepthAnythingReconstructor(config.da3, config.lift)


RECONSTRUCTORS: dict[str, Callable[[SceneConfig], Reconstructor]] = {
    "bundle": _bundle,
    "network": _network,
    "da3": _da3,
}


def choose_reconstructor(config: SceneConfig) -> Choice:
    """The reconstructor that `config` leads to here: `auto` takes the network where it can run, else the bundle.

    Raises:
        SettingsError: There is none of that name.
    """
    name = config.reconstructor
    if name == "auto":
        possible, reason = can_run(config.network)
        return Choice("network" if possible else "bundle", reason)
    if name not in RECONSTRUCTORS:
        raise SettingsError(f"unknown reconstructor '{name}': choose one of auto, {', '.join(RECONSTRUCTORS)}")
    return Choice(name, "as asked for")


def settled(config: SceneConfig) -> SceneConfig:
    """The same settings with the reconstructor named; where that was left open, says which one it is and why.

    Raises:
        SettingsError: There is none of that name, or settings are given that it does not have.
    """
    choice = choose_reconstructor(config)
    if choice.name == "network" and config.lift != LiftConfig():
        raise SettingsError(
            "--lift.* has no effect with the network, which makes its own Gaussians: leave it out, or add "
            "--reconstructor bundle"
        )
    if config.reconstructor == choice.name:
        return config
    say(f"reconstructor: {choice.name} ({choice.reason})")
    return dataclasses.replace(config, reconstructor=choice.name)


def beyond_settings(config: SceneConfig) -> list[str]:
    """What besides the settings decides the result: the weights of the network, which may change under one name.

    Raises:
        WeightsError: The network is asked for by name, and its weights cannot be had.
    """
    return [result_identity(config.network)] if choose_reconstructor(config).name == "network" else []


def get_reconstructor(config: SceneConfig) -> Reconstructor:
    """Build the reconstructor that `config` leads to."""
    return RECONSTRUCTORS[choose_reconstructor(config).name](config)
