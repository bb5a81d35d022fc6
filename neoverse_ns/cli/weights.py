"""`ns-neoverse weights`: what is found where, what it is, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.console import CONSOLE, say
from neoverse_ns.errors import SettingsError


@dataclass
class Weights:
    """Check the network's weights: where they are, which network they are, their licence, and the memory they need.

    Downloads them once with --download; nothing else uses the network. Other files of the hub can be fetched with
    --source and --file.
    """

    source: str = "Yuppie1204/NeoVerse"
    """A file, a folder, or a repository of the Hugging Face hub (owner/name)."""
    file: str = "reconstructor.ckpt"
    """Name of the file in a folder or repository; `*.index.json` for weights split over several files."""
    revision: str | None = None
    """Branch, tag or commit of the repository."""
    sha256: str | None = None
    """SHA-256 that the file must have."""
    download: bool = False
    """Download what is not on this machine."""
    cache_dir: Path | None = None
    """The hub's cache folder; by default $HF_HUB_CACHE, or `hub` in $HF_HOME."""
    num_frames: Annotated[int, tyro.conf.arg(aliases=["--frames"])] = 81
    """Frames at once, for the memory estimate."""
    width: int = 560
    """Width of the frames in pixels, a multiple of the network's patches (14)."""
    height: int = 336
    """Height of the frames, likewise."""

    def run(self) -> None:
        """Print what is known.

        Raises:
            SettingsError: The size cannot be used.
            WeightsError: The weights are not here, cannot be had, or are damaged.
        """
        from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
        from neoverse_ns.networks.neoverse.checkpoint import RELEASED_REPOSITORY
        from neoverse_ns.networks.neoverse.memory import gigabytes
        from neoverse_ns.weights.config import WeightsConfig
        from neoverse_ns.weights.digest import check_sha256
        from neoverse_ns.weights.find import weights_available
        from neoverse_ns.weights.hub import obtain_weights
        from neoverse_ns.weights.notices import licence_notice

        if min(self.num_frames, self.width, self.height) < 1:
            raise SettingsError(f"frames and sizes must be positive: {self.num_frames}, {self.width}x{self.height}")
        config = WeightsConfig(self.source, self.file, self.revision, self.sha256, self.download, self.cache_dir)
        if self.source == RELEASED_REPOSITORY and not self.download and weights_available(config) is None:
            # What would have to be downloaded, before the line that says how.
            say(f"licence: {licence_notice(self.source)}")
            self._memory(NetworkArchitecture())
        path = obtain_weights(config)
        say(f"found {path} ({gigabytes(path.stat().st_size)})")
        if config.local is None:
            say(f"licence: {licence_notice(self.source)}")
        if self.sha256 is not None:
            check_sha256(path, self.sha256)
            say("SHA-256 as given")
        self._describe(path)

    def _describe(self, path: Path) -> None:
        from neoverse_ns.weights.digest import KNOWN, RELEASED_RECONSTRUCTOR, identity, identity_name
        from neoverse_ns.weights.read import read_weights

        file = read_weights(path)
        value = identity(file.shapes)
        if value in KNOWN and value != RELEASED_RECONSTRUCTOR:
            # Weights of another stage: nothing more is known about them here.
            say(f"{identity_name(value)}: {len(file.tensors):,} tensors (identity {value})")
            return
        from neoverse_ns.networks.neoverse.checkpoint import inspect_weights, require_whole

        weights = inspect_weights(path)
        require_whole(weights)
        say(weights.describe())
        say(f"architecture: {weights.architecture.to_json()}")
        self._memory(weights.architecture)

    def _memory(self, architecture: object) -> None:
        import torch

        from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
        from neoverse_ns.networks.neoverse.frame_budget import largest_frames, needed_bytes
        from neoverse_ns.networks.neoverse.memory import MemoryRequest, estimate_memory, gigabytes
        from neoverse_ns.weights.device_memory import free_memory

        assert isinstance(architecture, NetworkArchitecture)
        patch = architecture.patch_size
        if self.width % patch or self.height % patch:
            raise SettingsError(f"width and height must be multiples of {patch}, got {self.width}x{self.height}")
        here = "cuda" if torch.cuda.is_available() else "cpu"
        free = free_memory(here)
        say(f"memory for {self.num_frames} frames of {self.width}x{self.height} at once:")
        for name, device, staged in (("CPU", "cpu", False), ("GPU", "cuda", False), ("GPU, low_vram", "cuda", True)):
            mixed = device == "cuda"
            request = MemoryRequest(self.num_frames, self.height, self.width, mixed_precision=mixed, staged=staged)
            estimate = estimate_memory(architecture, request)
            fits = ""
            if device == here and free is not None:
                most = largest_frames(architecture, request, free)
                enough = needed_bytes(estimate, weights_loaded=False) <= free
                fits = f"; {gigabytes(free)} free here: {'fits' if enough else f'at most {most} frames fit'}"
            CONSOLE.print(f"  {name}: {estimate.describe()}{fits}", highlight=False, markup=False)
