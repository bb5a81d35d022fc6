"""From the frames of a clip to the scene that a pair is made of, in memory alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import ReconstructionError
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.registry import get_reconstructor, settled
from neoverse_ns.reconstruct.scene import scene_of, wants_tracking


class SceneMaker(ABC):
    """Makes scenes one after the other; what is loaded for it lives as long as it does.

    Attributes:
        wants_tracking: Whether clips should come with the frames between the sampled ones.
    """

    wants_tracking: bool = False

    @abstractmethod
    def scene(self, clip: Clip, keyframes: int | None) -> SourceScene:
        """The scene of a clip.

        Args:
            clip: Its frames.
            keyframes: How many of them carry Gaussians, spread evenly with both ends; None leaves it to the
                reconstructor.

        Raises:
            ReconstructionError: The clip cannot be reconstructed.
        """


class OwnScenes(SceneMaker):
    """Scenes by one of the weights-free ways of reconstruction, for small runs: half a minute a clip on two cores.

    Args:
        config: How clips are reconstructed.
        device: Where Gaussians are held.
    """

    def __init__(self, config: SceneConfig, device: torch.device) -> None:
        self._config, self._device = config, device
        self._reconstructor = get_reconstructor(config)
        self.wants_tracking = wants_tracking(self._reconstructor, config)

    def scene(self, clip: Clip, keyframes: int | None) -> SourceScene:
        """See :class:`SceneMaker`."""
        scene = scene_of(clip, replace(self._config, num_keyframes=keyframes), self._reconstructor)
        if scene.gaussians is None or scene.gaussians.count == 0:
            raise ReconstructionError("its scene holds no Gaussians")
        return SourceScene.of(scene, scene.gaussians.to(self._device))


def scene_maker(config: SceneConfig, device: torch.device) -> SceneMaker:
    """The network in the loop, or another way of reconstruction, as `config.reconstructor` leads to.

    Raises:
        SettingsError, WeightsError: What it needs is not there.
    """
    chosen = settled(config)
    if chosen.reconstructor == "network":
        # The network's modules are not light, and no other way needs them.
        from neoverse_ns.training.control.network_scene import NetworkScenes

        return NetworkScenes(chosen, device)
    return OwnScenes(chosen, device)
