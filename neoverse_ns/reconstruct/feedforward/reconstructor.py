"""NeoVerse's own network as a reconstructor: the method of the paper, or that of the released program."""

from __future__ import annotations

import time
from typing import Any

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress
from neoverse_ns.reconstruct.base import Reconstruction, Reconstructor
from neoverse_ns.reconstruct.feedforward.availability import device_of, dtype_of
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.feedforward.frame_passes import camera_passes
from neoverse_ns.reconstruct.feedforward.keyframe_window import run_window
from neoverse_ns.reconstruct.feedforward.loading import ReadyNetwork, load_for_clip
from neoverse_ns.reconstruct.feedforward.runner import FrameRunner, Network
from neoverse_ns.reconstruct.feedforward.sizing import NetworkSize, network_size
from neoverse_ns.reconstruct.feedforward.window_assembly import join_windows, to_scene
from neoverse_ns.reconstruct.frame_windows import owned_frames, plan_windows
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.priors.load import load_priors
from neoverse_ns.reconstruct.split import FrameSplit


class NetworkReconstructor(Reconstructor):
    """Runs the network once on the keyframes, for the Gaussians, and once on all frames, for the cameras between them.

    The network lives only as long as a call of :meth:`reconstruct`, unless the process keeps it: see
    :func:`neoverse_ns.reconstruct.feedforward.keeping.keep_networks`.

    Args:
        config: Settings.
        priors: Files with what is known beforehand.
        network: What to run instead of loading `config.weights`.
    """

    def __init__(
        self, config: NetworkConfig, priors: PriorsConfig | None = None, network: Network | None = None
    ) -> None:
        self.config, self.priors, self._given = config, priors or PriorsConfig(), network

    def keyframes_wanted(self, chosen: int | None, frames: int) -> int | None:
        """All training frames in mode `release`, the configured number in mode `paper`."""
        if chosen is not None:
            return chosen
        return frames if self.config.mode == "release" else self.config.num_keyframes

    def reconstruct(self, clip: Clip, split: FrameSplit) -> Reconstruction:
        """See :class:`Reconstructor`.

        Raises:
            WeightsError: The weights cannot be had or are not this network's.
            MemoryShortageError: The device has too little memory.
            SettingsError: A prior is wrong.
            ReconstructionError: A prediction is not finite.
        """
        config = self.config
        config.validate()
        seconds: dict[str, float] = {}

        def clock(stage: str, took: float) -> None:
            seconds[stage] = seconds.get(stage, 0.0) + took

        priors = load_priors(self.priors, clip)
        size = network_size(clip.width, clip.height, config.longest_side)
        keyframes = split.keyframes
        started = time.perf_counter()
        device = device_of(config)
        ready = self._network(size, len(clip), len(keyframes))
        clock("weights", time.perf_counter() - started)
        windows = plan_windows(len(keyframes), ready.window, min(config.overlap, ready.window // 2))
        owned = owned_frames(windows)
        passes = [
            camera_passes(seen, own, keyframes, len(clip), ready.window)
            for seen, own in zip(windows, owned, strict=True)
        ]
        runner = FrameRunner(
            ready.network,
            clip,
            size,
            priors,
            is_static=config.is_static or len(keyframes) == 1,
            head_chunk=config.head_chunk,
            mixed_precision=dtype_of(config, device) is torch.bfloat16,
            device=device,
        )
        results = []
        with progress(f"network: {len(keyframes)} keyframes of {len(clip)} frames", len(windows)) as steps:
            for seen, own, parts in zip(windows, owned, passes, strict=True):
                results.append(run_window(runner, config, keyframes, seen, own, parts, clock))
                steps.advance()
        # Main memory holds the results; what the network occupies on the device is given back before training begins.
        about, most = ready.about, min(ready.window, len(clip))
        ready.rest()
        del ready, runner
        if device.type == "cuda":
            torch.cuda.empty_cache()
        started = time.perf_counter()
        joined = join_windows(results, owned, keyframes, clip)
        results.clear()
        report = self._report(size, len(windows), most, priors.names) | about
        scene = to_scene(joined, keyframes, report | {"seconds": seconds})
        clock("assembly", time.perf_counter() - started)
        return scene

    def _network(self, size: NetworkSize, frames: int, keyframes: int) -> ReadyNetwork:
        if self._given is not None:
            return ReadyNetwork(self._given, self.config.window, {"weights": "given"})
        return load_for_clip(self.config, size, frames, keyframes)

    def _report(self, size: NetworkSize, windows: int, most: int, known: list[str]) -> dict[str, Any]:
        device = device_of(self.config)
        return {
            "reconstructor": "network",
            "mode": self.config.mode,
            "is_static": self.config.is_static,
            "device": device.type,
            "dtype": str(dtype_of(self.config, device)).removeprefix("torch."),
            "network_size": list(size.network),
            "windows": windows,
            "frames_at_once": most,
            "priors": known,
        }
