"""Whether the network can run here, and what identifies its result; looks at files, never at what is in them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch

from neoverse_ns.errors import WeightsError
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.weights.config import INDEX, WeightsConfig
from neoverse_ns.weights.find import part_names, part_path, weights_available
from neoverse_ns.weights.hub import obtain_weights

_BLOCK, _BLOCKS = 1 << 16, 256
_INDIFFERENT = ("weights", "sha256", "download", "device", "draw", "low_vram", "head_chunk")
"""Settings that do not decide the result, or only through what :func:`result_identity` adds."""


def weights_config(config: NetworkConfig) -> WeightsConfig:
    """Where the weights are looked for."""
    from neoverse_ns.networks.neoverse.checkpoint import reconstructor_weights

    return reconstructor_weights(config.weights.strip(), config.sha256, config.download)


def device_of(config: NetworkConfig) -> torch.device:
    """The device that `config.device` names here."""
    if config.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(config.device)


def dtype_of(config: NetworkConfig, device: torch.device) -> torch.dtype:
    """The precision that `config.dtype` names on `device`."""
    if config.dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return getattr(torch, config.dtype)


def can_run(config: NetworkConfig) -> tuple[bool, str]:
    """Whether the network is worth choosing unasked, and why or why not."""
    if not torch.cuda.is_available():
        return False, "no CUDA device for the network; bundle needs neither device nor weights"
    where = weights_config(config)
    if weights_available(where) is not None:
        return True, f"{where.name} and a CUDA device are here"
    if config.download:
        return True, f"{where.name} may be downloaded, and a CUDA device is here"
    return False, f"{where.name} is not on this machine; --network.download True fetches it"


def result_identity(config: NetworkConfig) -> str:
    """Equal for runs of the network that give the same from the same frames; fetches the weights where need be.

    Raises:
        WeightsError: They cannot be had.
    """
    # The network's modules are not light, and this one is loaded by every ns-* command.
    from neoverse_ns.networks.neoverse.checkpoint import ARCHITECTURE_FILE

    file = obtain_weights(weights_config(config))
    device = device_of(config)
    kept = {name: value for name, value in asdict(config).items() if name not in _INDIFFERENT}
    kept |= {"dtype": str(dtype_of(config, device)), "device": device.type, "weights": fingerprint(file)}
    beside = file.parent / ARCHITECTURE_FILE
    if beside.is_file():
        kept["architecture"] = fingerprint(beside)
    return json.dumps(kept, sort_keys=True)


def fingerprint(path: Path) -> str:
    """Tells weights files apart within milliseconds, however large they are.

    The hub's cache names files by their content. Of any other file size, time of change and a sample of the bytes are
    hashed: a changed file always has another fingerprint, a copied one may have.

    Raises:
        WeightsError: The file cannot be read.
    """
    real = path.resolve()
    if real.parent.name == "blobs" and len(real.name) >= 40:
        return real.name
    value = hashlib.sha256()
    try:
        size = real.stat().st_size
        value.update(f"{size} {real.stat().st_mtime_ns}".encode())
        with real.open("rb") as stream:
            for number in range(_BLOCKS):
                stream.seek(number * max(size - _BLOCK, 0) // (_BLOCKS - 1))
                value.update(stream.read(_BLOCK))
    except OSError as error:
        raise WeightsError(f"cannot read {path} ({error.strerror}): check the path and its permissions") from error
    if path.name.endswith(INDEX):
        for part in part_names(path):
            value.update(fingerprint(part_path(path, part)).encode())
    return value.hexdigest()
