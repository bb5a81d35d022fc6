"""The network with published or own weights, from disk or from the hub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from neoverse_ns.errors import SettingsError, WeightsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.deduce import TRUNK, deduce_architecture
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.weights.assign import TypeOf, assign_weights
from neoverse_ns.weights.config import WeightsConfig
from neoverse_ns.weights.digest import check_sha256, identity, identity_name
from neoverse_ns.weights.hub import obtain_weights
from neoverse_ns.weights.match import common_prefix, require_match
from neoverse_ns.weights.read import WeightsFile, read_weights

RELEASED_REPOSITORY = "Yuppie1204/NeoVerse"
RELEASED_FILE = "reconstructor.ckpt"
ARCHITECTURE_FILE = "architecture.json"
"""Lies beside weights whose architecture cannot be seen in them; :meth:`NetworkArchitecture.to_json` writes it."""

Precision = Literal["float32", "bfloat16"]

_ANCHORS = (f"{TRUNK}.cam_token", "cam_head.init_token", "gs_head.norm.weight")
_MULTIPLIED = {"frame_blocks", "global_blocks", "motion_embeds"} | {
    f"motion_{k}_blocks" for k in ("self", "fwd", "bwd")
}
"""Lists of the trunk whose matrices are multiplied in bfloat16 on a GPU."""


@dataclass(frozen=True)
class NetworkWeights:
    """Weights on this machine that were looked at, but not put into a network yet.

    Attributes:
        file: Their tensors, still on disk.
        architecture: Told by the file, by a JSON beside it, or by the tensors' shapes.
        identity: See :func:`neoverse_ns.weights.digest.identity`.
    """

    file: WeightsFile
    architecture: NetworkArchitecture
    identity: str

    def describe(self) -> str:
        """One line: which network this is."""
        count = sum(tensor.numel() for tensor in self.file.tensors.values())
        return (
            f"{identity_name(self.identity)}: {len(self.file.tensors):,} tensors, {count / 1e6:,.2f} M parameters "
            f"(identity {self.identity})"
        )


def reconstructor_weights(
    source: str = RELEASED_REPOSITORY, sha256: str | None = None, download: bool = False
) -> WeightsConfig:
    """Where the network's weights come from.

    Args:
        source: A file, a folder, or a hub id; an id may be followed by `@revision`.
        sha256: That the file must have.
        download: Whether it may be downloaded.
    """
    name, at, revision = source.rpartition("@")
    if not at or Path(source).expanduser().exists():
        name, revision = source, ""
    return WeightsConfig(name, RELEASED_FILE, revision or None, sha256, download)


def inspect_weights(path: Path) -> NetworkWeights:
    """Look at a file of weights without reading its tensors.

    Raises:
        WeightsError: It is damaged, not a reconstructor's, or its architecture cannot be known.
    """
    file = read_weights(path)
    prefix = common_prefix(file.tensors, _ANCHORS)
    shapes = {key.removeprefix(prefix): shape for key, shape in file.shapes.items()}
    try:
        architecture = _told_architecture(file) or deduce_architecture(shapes)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    return NetworkWeights(file, architecture, identity(shapes))


def require_whole(weights: NetworkWeights) -> None:
    """Check every key and shape against the network's, without memory for it.

    Raises:
        WeightsError: Anything is missing, unexpected or of another shape.
    """
    file = weights.file
    expected = {key: tuple(value.shape) for key, value in _on_meta(weights.architecture).state_dict().items()}
    prefix = common_prefix(file.tensors, expected)
    require_match(expected, {key.removeprefix(prefix): shape for key, shape in file.shapes.items()}, str(file.path))


def load_network(
    weights: WeightsConfig | Path, precision: Precision = "float32", device: torch.device | str = "cpu"
) -> tuple[NeoVerseNetwork, NetworkWeights]:
    """Build the network that the weights belong to, around the weights themselves.

    Args:
        weights: A file, or where to find one.
        precision: `bfloat16` stores what mixed precision multiplies in that type anyway in it, for 40 % less memory and
            the same results; such a network must be run with `mixed_precision`, as it is on a GPU by default.
        device: Where the weights end up; on the CPU they stay mapped to the file, which must not be overwritten.

    Returns:
        The network for inference, and what is known of its weights (whose tensors were handed over).

    Raises:
        SettingsError: A setting cannot mean anything.
        WeightsError: The weights are not here, damaged, or not exactly the network's.
    """
    if isinstance(weights, WeightsConfig):
        path = obtain_weights(weights)
        if weights.sha256 is not None:
            check_sha256(path, weights.sha256)
    else:
        path = weights
    found = inspect_weights(path)
    return assign_weights(_on_meta(found.architecture), found.file, type_in(precision), device), found  # type: ignore[return-value]


def save_network(network: NeoVerseNetwork, path: Path) -> None:
    """Write a network's weights with its architecture, as `.safetensors` or (any other ending) a pickle of torch.

    Raises:
        WeightsError: The file cannot be written.
    """
    state = {key: value.detach().contiguous().cpu() for key, value in network.state_dict().items()}
    architecture = network.architecture.to_json()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".safetensors":
            from safetensors.torch import save_file

            save_file(state, path, metadata={"format": "pt", "architecture": architecture})
        else:
            torch.save({"state_dict": state, "architecture": json.loads(architecture)}, path)
    except (OSError, RuntimeError) as error:
        raise WeightsError(f"cannot write {path} ({error}): choose another place") from error


def _on_meta(architecture: NetworkArchitecture) -> NeoVerseNetwork:
    """The network without memory for its weights."""
    with torch.device("meta"):
        return NeoVerseNetwork(architecture)


def type_in(precision: Precision) -> torch.dtype | TypeOf:
    """Types of the network's tensors for :func:`assign_weights`."""
    return torch.float32 if precision == "float32" else _in_bfloat16


def _in_bfloat16(key: str, tensor: Tensor) -> torch.dtype:
    """bfloat16 for what the trunk multiplies under autocast: the same rounding, done once instead of every time."""
    parts = key.removeprefix(f"{TRUNK}.").split(".")
    multiplied = parts[0] in _MULTIPLIED or parts[:2] == ["patch_embed", "blocks"]
    inside = key.startswith(f"{TRUNK}.") and multiplied
    return torch.bfloat16 if inside and tensor.ndim == 2 and key.endswith(".weight") else torch.float32


def _told_architecture(file: WeightsFile) -> NetworkArchitecture | None:
    """What the file or a JSON beside it says, if anything."""
    noted = file.notes.get("architecture")
    beside = file.path.parent / ARCHITECTURE_FILE
    try:
        if isinstance(noted, dict):
            return NetworkArchitecture.from_json(json.dumps(noted))
        if beside.is_file():
            return NetworkArchitecture.from_json(beside.read_text("utf8"))
    except (SettingsError, OSError, UnicodeDecodeError) as error:
        where = "inside it" if isinstance(noted, dict) else str(beside)
        raise WeightsError(f"its architecture ({where}) cannot be used: {error}") from error
    return None
