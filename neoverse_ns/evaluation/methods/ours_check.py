"""Whether this package can work as it is asked to, before anything is measured."""

from __future__ import annotations

import torch

from neoverse_ns.applications.finish import checked_refiner
from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.feedforward.availability import weights_config
from neoverse_ns.reconstruct.registry import beyond_settings, choose_reconstructor
from neoverse_ns.weights.find import weights_available


def check_ours(scene: SceneConfig, refiner: RefinerConfig, device: str) -> None:
    """Let settings pass that can be used here; reads no picture and fetches nothing.

    Raises:
        SettingsError: A value is none that there is.
        RefinementError, WeightsError: The refiner or the network lacks what it needs.
    """
    check_device(device)
    if scene.num_keyframes is not None and scene.num_keyframes < 1:
        raise SettingsError(f"keyframes must be at least 1, got {scene.num_keyframes}")
    scene.validate()
    check_reconstructor(scene)
    checked_refiner(refiner)


def check_device(name: str) -> None:
    """Let a device pass that torch has here.

    Raises:
        SettingsError: There is none of that name.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingsError(f"device '{name}' is none: use cpu or cuda") from error
    if device.type not in ("cpu", "cuda"):
        raise SettingsError(f"device '{name}' is not supported: use cpu or cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SettingsError(f"device '{name}' is not on this machine: use cpu")


def check_reconstructor(scene: SceneConfig) -> None:
    """Let a reconstructor pass whose weights are there, or may be fetched.

    Raises:
        SettingsError: There is none of that name.
        WeightsError: It is the network, and its weights cannot be had.
    """
    network = choose_reconstructor(scene).name == "network"
    if network and not scene.network.download and weights_available(weights_config(scene.network)) is None:
        beyond_settings(scene)
