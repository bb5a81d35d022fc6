"""A network being taught, as it lies on disk: whole or not at all, and only used for what it was made from."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.errors import UNREADABLE, RunError
from neoverse_ns.generate.refiners.internal.network import RefinementNetwork
from neoverse_ns.generate.refiners.internal.network_inputs import ALLOWED, ALLOWED_WORN
from neoverse_ns.generate.refiners.internal.settings import InternalSettings
from neoverse_ns.generate.source_scene import SourceScene

FILE = "refiner_internal.pt"
"""Name of the file in the folder given to the refiner."""

_FORMAT = 1


@dataclass
class TrainingState:
    """Everything that the next step depends on, but for the training pairs, which the seed makes again.

    Attributes:
        network: What is taught.
        optimizer: Its AdamW.
        generator: Chooses the crops; on the CPU.
        step: Steps done.
    """

    network: RefinementNetwork
    optimizer: torch.optim.AdamW
    generator: torch.Generator
    step: int = 0

    @staticmethod
    def start(settings: InternalSettings, seed: int, device: torch.device) -> TrainingState:
        """An untrained network, the same for the same seed on every device."""
        # Layers draw their first values from the global generator, whose state is the caller's.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = RefinementNetwork(settings.widths, ALLOWED_WORN if settings.wear.share else ALLOWED)
        network = network.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, betas=(0.9, 0.99))
        return TrainingState(network, optimizer, torch.Generator().manual_seed(seed + 1))

    def save(self, file: Path, origin: str) -> None:
        """Write the state in place of an older one.

        Raises:
            RunError: The disk is full or the place is not writable.
        """
        content = {
            "format": _FORMAT,
            "origin": origin,
            "step": self.step,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
        }
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
            try:
                with os.fdopen(handle, "wb") as stream:
                    torch.save(content, stream)
                os.replace(draft, file)
            finally:
                Path(draft).unlink(missing_ok=True)
        except OSError as error:
            raise RunError(f"the refiner cannot be saved to {file} ({error.strerror}): free or change it") from error

    def load(self, file: Path, origin: str) -> bool:
        """Go on from a file, if there is one and it was made from the same clip, scene, settings and seed.

        Returns:
            Whether it was; if not nothing has changed.

        Raises:
            RunError: The file is damaged or not a refiner's.
        """
        if not file.is_file():
            return False
        try:
            content = torch.load(file, map_location="cpu", weights_only=True)
            if content["format"] != _FORMAT or content["origin"] != origin:
                return False
            self.network.load_state_dict(content["network"])
            self.optimizer.load_state_dict(content["optimizer"])
            self.generator.set_state(content["generator"])
            self.step = int(content["step"])
        except UNREADABLE as error:
            detail = (str(error).splitlines() or ["it is cut off"])[0]
            raise RunError(f"{file} is damaged ({detail}): delete it and the refiner is taught again") from error
        return True


def origin_of(source: SourceScene, settings: InternalSettings, seed: int) -> str:
    """Equal for equal clips, scenes, settings and seeds; whatever could change the training changes it."""
    options = asdict(settings)
    options.pop("save_every")
    # What settings that came later say by default was so before.
    if settings.wear == WearConfig():
        options.pop("wear")
    if settings.degradation.level == "first":
        options["degradation"].pop("level")
    if settings.degradation.enabled:
        options["degradation"].pop("enabled")
    value = hashlib.sha256(json.dumps([options, seed, source.keyframes], default=str).encode())
    tensors = [source.frames, source.cameras.c2w, source.cameras.K, source.times, *source.gaussians.tensors().values()]
    for tensor in tensors:
        value.update(str(tuple(tensor.shape)).encode())
        value.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return value.hexdigest()
