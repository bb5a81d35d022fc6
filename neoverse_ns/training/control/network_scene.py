"""NeoVerse's network in the loop: a clip's scene as the released training makes it, in the network's world and unit."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.networks.neoverse.checkpoint import Precision, load_network
from neoverse_ns.networks.neoverse.model import HeadName
from neoverse_ns.networks.neoverse.splat_settings import SplatSettings
from neoverse_ns.networks.neoverse.splats import keyframe_splats
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.feedforward.availability import dtype_of, weights_config
from neoverse_ns.reconstruct.feedforward.keyframe_window import cameras_of
from neoverse_ns.reconstruct.feedforward.lift import to_dynamic_gaussians
from neoverse_ns.reconstruct.feedforward.runner import FrameRunner, Network
from neoverse_ns.reconstruct.feedforward.sizing import network_size
from neoverse_ns.reconstruct.feedforward.surfaces import check_finite
from neoverse_ns.reconstruct.feedforward.unit_ratio import unit_ratio
from neoverse_ns.reconstruct.priors.load import ClipPriors
from neoverse_ns.reconstruct.split import split_frames
from neoverse_ns.training.control.scenes import SceneMaker


class NetworkScenes(SceneMaker):
    """Keeps one network for all clips of a run, and asks it twice of each clip, without gradients.

    The context frames alone give the Gaussians, with motion; all frames together give the cameras, for which no dense
    head runs. Translations of the latter are brought to the former's unit by the ratio of their mean norms.

    Args:
        config: Its `network` is loaded; nothing else of it matters.
        device: Where the network runs, and Gaussians are held.
        network: What to run instead of loading `config.network.weights`.

    Raises:
        SettingsError: Something is known beforehand of the scene, which cannot be so of all clips.
        WeightsError: The weights cannot be had, or are not this network's.
    """

    def __init__(self, config: SceneConfig, device: torch.device, network: Network | None = None) -> None:
        if config.priors.any:
            raise SettingsError("--priors.* belong to one clip, and this trains on many: leave them out")
        self._config, self._device = config.network, device
        self._mixed = dtype_of(config.network, device) is torch.bfloat16
        self._network = network or self._load()

    @torch.no_grad()
    def scene(self, clip: Clip, keyframes: int | None) -> SourceScene:
        """See :class:`SceneMaker`.

        Raises:
            MemoryShortageError: The device has too little memory.
            ReconstructionError: A prediction is not finite.
        """
        config = self._config
        usual = len(clip) if config.mode == "release" else config.num_keyframes
        chosen = split_frames(len(clip), keyframes or usual, held_out_every=0).keyframes
        runner = self._runner(clip, is_static=config.is_static or len(chosen) == 1)
        # A single camera lies at the origin of both worlds: only its depth can tell their units apart.
        depth: tuple[HeadName, ...] = ("depth",) if len(chosen) == 1 else ()
        context = runner(chosen, None, config.mode == "paper", ("motion", "gaussians", *depth))
        every = runner(range(len(clip)), None, False, depth)
        check_finite(context)
        check_finite(every)
        found = cameras_of(every, runner)
        c2w = found.c2w.clone()
        c2w[:, :3, 3] *= unit_ratio(context, every, chosen)
        settings = SplatSettings(
            dynamic_threshold=config.dynamic_threshold,
            track_motion=config.global_motion_tracking,
            tracked_threshold=config.tracking_threshold,
            voxel_size=config.voxel_size,
        )
        times = clip.times[chosen]
        (splats,) = keyframe_splats(context, runner.images(chosen), times[None], runner.is_static, settings)
        return SourceScene(
            frames=clip.frames,
            cameras=replace(found, c2w=c2w),
            times=clip.times,
            keyframes=chosen,
            gaussians=LayeredGaussians({FRAMES: to_dynamic_gaussians(splats, times, (0.0, 1.0))}),
            unit=1.0,
            context=cameras_of(context, runner),
        )

    def _runner(self, clip: Clip, is_static: bool) -> FrameRunner:
        return FrameRunner(
            self._network,
            clip,
            network_size(clip.width, clip.height, self._config.longest_side),
            ClipPriors(),
            is_static=is_static,
            head_chunk=self._config.head_chunk,
            mixed_precision=self._mixed,
            device=self._device,
        )

    def _load(self) -> Network:
        on_gpu = self._mixed and self._device.type != "cpu"
        precision: Precision = "bfloat16" if on_gpu else "float32"
        network, _ = load_network(weights_config(self._config), precision, self._device)
        return network.requires_grad_(False)
