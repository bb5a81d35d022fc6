"""Tensors of a weights file, memory-mapped: nothing is copied before it is used."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neoverse_ns.errors import UNREADABLE, WeightsError
from neoverse_ns.weights.config import INDEX
from neoverse_ns.weights.find import part_names, part_path

WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "reconstructor", "network", "weights", "params")
"""Entries under which checkpoints keep the tensors, in the order in which they are tried."""

_WEB_PAGE = re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE)


@dataclass(frozen=True)
class WeightsFile:
    """Contents of a weights file.

    Attributes:
        path: Where it was read from; the index, where it is split over several files.
        tensors: By key, on the CPU and backed by the file where its format allows.
        notes: What else it says about itself: JSON-like values.
    """

    path: Path
    tensors: dict[str, Tensor]
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {key: tuple(tensor.shape) for key, tensor in self.tensors.items()}

    @property
    def num_bytes(self) -> int:
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors.values())


def read_weights(path: Path) -> WeightsFile:
    """Map a `.safetensors` file, an `*.index.json` with its parts, or a pickle of torch (any other ending).

    Pickles are read with `weights_only=True`: a file cannot run code here.

    Raises:
        WeightsError: It is missing, truncated, not what its ending says, or holds no tensors.
    """
    _check_is_weights(path)
    if path.name.endswith(INDEX):
        return _read_parts(path)
    return _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)


def _check_is_weights(path: Path) -> None:
    """Tell apart what people end up with instead of a big file."""
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except FileNotFoundError:
        raise WeightsError(f"no weights at {path}: check the path") from None
    except OSError as error:
        raise WeightsError(f"cannot read {path} ({error.strerror}): check the path and its permissions") from error
    if not head:
        raise WeightsError(f"{path} is empty: download it again")
    if head.startswith(b"version https://git-lfs"):
        raise WeightsError(f"{path} is only a Git LFS pointer, not the weights: run `git lfs pull`, or download it")
    if _WEB_PAGE.match(head):
        raise WeightsError(f"{path} is a web page, not weights: download the file itself (its 'resolve' address)")


def _read_safetensors(path: Path) -> WeightsFile:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise WeightsError(f"{path} needs the safetensors library: pip install 'neoverse-ns[network]'") from None
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            notes = dict(file.metadata() or {})
    except (SafetensorError, *UNREADABLE) as error:
        raise WeightsError(_damaged(path, error)) from error
    if not tensors:
        raise WeightsError(f"{path} holds no tensors: it is not a network's weights")
    return WeightsFile(path, tensors, {key: _parsed(value) for key, value in notes.items()})


def _read_parts(index: Path) -> WeightsFile:
    parts = {part: part_path(index, part) for part in part_names(index)}
    absent = [part for part, path in parts.items() if not path.is_file()]
    if absent:
        raise WeightsError(
            f"{len(absent)} of the {len(parts)} files that {index.name} lists are not beside it (first: {absent[0]}): "
            f"put them into {index.parent}"
        )
    tensors: dict[str, Tensor] = {}
    notes: dict[str, Any] = {}
    for path in parts.values():
        file = read_weights(path)
        tensors |= file.tensors
        notes |= file.notes
    listed = json.loads(index.read_text("utf8"))["weight_map"]
    lost = sorted(set(listed) ^ set(tensors))
    if lost:
        raise WeightsError(
            f"{index.name} and the files it lists disagree on {len(lost)} tensors (first: {lost[0]}): "
            "they are not of one version; download all of them again"
        )
    return WeightsFile(index, tensors, notes)


def _read_pickle(path: Path) -> WeightsFile:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} is damaged, or holds Python objects beside tensors, which are refused because they could run "
            "code: save its state dict alone (torch.save(model.state_dict(), ...)), or as .safetensors"
        ) from error
    except RuntimeError as error:
        if "mmap can only be used" not in str(error):
            raise WeightsError(_damaged(path, error)) from error
        content = _load_legacy(path)
    except UNREADABLE as error:
        raise WeightsError(_damaged(path, error)) from error
    tensors, notes = _unwrap(content, path)
    return WeightsFile(path, tensors, notes)


def _load_legacy(path: Path) -> Any:
    """Read the format of torch before 1.6, which cannot be mapped."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise WeightsError(_damaged(path, error)) from error


def _unwrap(content: Any, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Find the state dict in whatever a training framework wrapped around it."""
    notes: dict[str, Any] = {}
    while isinstance(content, Mapping) and content and not _is_state_dict(content):
        nested = [name for name in WRAPPERS if isinstance(content.get(name), Mapping)]
        if not nested:
            break
        notes |= {str(key): value for key, value in content.items() if _is_plain(value)}
        content = content[nested[0]]
    if _is_state_dict(content):
        return dict(content), notes
    if isinstance(content, Mapping):
        foreign = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
        has = f"entries that are no tensors, such as {', '.join(foreign[:4])}" if content else "nothing"
    else:
        has = f"one {type(content).__name__}"
    raise WeightsError(f"{path} holds no state dict but {has}: save the network's state_dict() (of {WRAPPERS[0]})")


def _is_state_dict(content: Any) -> bool:
    return (
        isinstance(content, Mapping)
        and len(content) > 0
        and all(isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items())
    )


def _is_plain(value: Any) -> bool:
    """Whether JSON could hold it."""
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return all(_is_plain(v) for v in value)
    return value is None or isinstance(value, str | int | float)


def _parsed(value: str) -> Any:
    """Metadata of safetensors are strings: JSON where they are JSON."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _damaged(path: Path, error: Exception) -> str:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    size = path.stat().st_size
    return f"{path} is truncated, damaged or of another format ({size:,} bytes; {reason}): download it again"
