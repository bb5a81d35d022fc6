"""Weights in safetensors files: read tensor by tensor, so that never more than one of them exists twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from neoverse_ns.errors import UNREADABLE, WeightsError

SHARD_NUMBER = re.compile(r"-(\d+)-of-(\d+)\.safetensors$")
MAX_HEADER_BYTES = 100_000_000


def find_shards(folder: Path, stem: str) -> list[Path]:
    """The safetensors files of one model in `folder`: `stem.safetensors`, or `stem-00001-of-0000n.safetensors`.

    Raises:
        WeightsError: Some of the numbered files, or of those an index names, are missing; names them.
    """
    shards = sorted(p for p in folder.glob(f"{stem}*.safetensors") if p.stem == stem or SHARD_NUMBER.search(p.name))
    named = {shard.name for shard in shards}
    wanted: set[str] = set()
    index = folder / f"{stem}.safetensors.index.json"
    if index.is_file():
        try:
            wanted = set(json.loads(index.read_text())["weight_map"].values())
        except UNREADABLE as error:
            raise WeightsError(f"{index} cannot be read ({error}): download it again") from error
    elif shards and (match := SHARD_NUMBER.search(shards[0].name)):
        count = int(match[2])
        width = len(match[1])
        wanted = {f"{stem}-{i:0{width}d}-of-{match[2]}.safetensors" for i in range(1, count + 1)}
    if missing := sorted(wanted - named):
        raise WeightsError(f"{folder} lacks {', '.join(missing)}: download what is missing")
    return [shard for shard in shards if not wanted or shard.name in wanted]


def read_shapes(shards: list[Path]) -> dict[str, list[int]]:
    """Shape of every tensor, from the files' headers alone.

    Raises:
        WeightsError: A file is no safetensors file, or a tensor is in two of them.
    """
    shapes: dict[str, list[int]] = {}
    for shard in shards:
        try:
            with shard.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                if not 0 < length < MAX_HEADER_BYTES:
                    raise ValueError("no header")
                header = json.loads(file.read(length))
            found = {key: entry["shape"] for key, entry in header.items() if key != "__metadata__"}
        except UNREADABLE as error:
            raise WeightsError(f"{shard} is not a safetensors file, or damaged ({error}): download it again") from error
        if doubled := sorted(shapes.keys() & found.keys()):
            raise WeightsError(f"{doubled[0]} is in {shard.name} and in another file of {shard.parent}: keep one set")
        shapes |= found
    return shapes


def read_shard(shard: Path, device: torch.device | str = "cpu") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of one file, each read when it is its turn.

    Raises:
        WeightsError: The file is missing, damaged or cut short.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(shard, framework="pt", device=str(device)) as file:
            for key in file.keys():  # noqa: SIM118 - the handle is no dictionary
                yield key, file.get_tensor(key)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{shard} cannot be read ({error}): download it again") from error


def assign(model: nn.Module, name: str, value: Tensor) -> None:
    """Put a tensor in the place of the model's parameter or buffer `name`, without a copy.

    Raises:
        WeightsError: The shapes differ.
    """
    owner, _, leaf = name.rpartition(".")
    module = model.get_submodule(owner)
    old = getattr(module, leaf)
    if old.shape != value.shape:
        raise WeightsError(
            f"{name} is {tuple(value.shape)} in the file but {tuple(old.shape)} in the model: they are of different sizes"
        )
    if leaf in module._parameters:
        module._parameters[leaf] = nn.Parameter(value, requires_grad=False)
    else:
        module._buffers[leaf] = value
