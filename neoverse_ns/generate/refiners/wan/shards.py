"""A model's weights in one or several safetensors files, put into a module tensor by tensor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from neoverse_ns.console import progress
from neoverse_ns.errors import MemoryShortageError, WeightsError
from neoverse_ns.weights.config import INDEX
from neoverse_ns.weights.find import part_names, part_path
from neoverse_ns.weights.match import Shape, require_match
from neoverse_ns.weights.pages import release_pages
from neoverse_ns.weights.read import read_weights

NUMBERED = re.compile(r"-(\d+)-of-(\d+)$")
"""End of the name of one of several files, before `.safetensors`."""


def find_shards(folder: Path, stem: str) -> list[Path]:
    """The files of one model: `stem.safetensors`, or `stem-00001-of-0000n.safetensors`, with an index or without.

    Raises:
        WeightsError: Some of the files that the index or the numbers call for are missing; names them. Or the index
            lists files elsewhere.
    """
    held = {path.name: path for path in folder.glob(f"{stem}*.safetensors")}
    index = folder / f"{stem}.safetensors{INDEX}"
    numbered = next((match for name in held if (match := NUMBERED.search(Path(name).stem))), None)
    if index.is_file():
        wanted = part_names(index)
        for name in wanted:
            part_path(index, name)
    elif numbered is not None:
        digits, count = len(numbered[1]), numbered[2]
        wanted = [f"{stem}-{part:0{digits}d}-of-{count}.safetensors" for part in range(1, int(count) + 1)]
    else:
        wanted = [f"{stem}.safetensors"] if f"{stem}.safetensors" in held else []
    if missing := [name for name in wanted if name not in held]:
        raise WeightsError(f"{folder} lacks {', '.join(missing)}: download what is missing")
    return [held[name] for name in wanted]


def read_shapes(shards: list[Path]) -> dict[str, Shape]:
    """Shape of every tensor; the files are mapped, not read.

    Raises:
        WeightsError: A file is damaged, or two hold a tensor of one name.
    """
    shapes: dict[str, Shape] = {}
    for shard in shards:
        found = read_weights(shard).shapes
        if doubled := sorted(shapes.keys() & found.keys()):
            raise WeightsError(f"{doubled[0]} is in {shard.name} and in another file of {shard.parent}: keep one set")
        shapes |= found
    return shapes


def stream(shards: list[Path]) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of the files in turn, mapped; its pages are given back when the next one is asked for."""
    for shard in shards:
        tensors = read_weights(shard).tensors
        for key in list(tensors):
            yield key, tensors.pop(key)


def assign_stream(
    module: nn.Module,
    shards: list[Path],
    names: dict[str, str],
    dtype: torch.dtype,
    device: torch.device | str,
    change: Callable[[str, Tensor], Tensor] = lambda key, tensor: tensor,
    aliases: frozenset[str] = frozenset(),
) -> nn.Module:
    """Make the files' tensors the module's own; at no time do two copies of more than one tensor exist.

    Args:
        module: On the meta device. Parameters that it wants in float32 (`_keep_in_fp32_modules`) become float32.
        shards: The files.
        names: Key in the files -> key in the module's state dict, for all of both; what is not named is left out.
        dtype: Of the other parameters.
        device: Where they end up.
        change: Applied to every tensor under its key in the files, before its type changes.
        aliases: Keys of the module's state dict that need no tensor: second names, or what is filled elsewhere.

    Returns:
        The module, in evaluation mode, its parameters without gradients.

    Raises:
        WeightsError: The tensors are not exactly the module's, or a file is damaged.
        MemoryShortageError: `device` has no room for them.
    """
    expected = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items() if key not in aliases}
    found = {names[key]: shape for key, shape in read_shapes(shards).items() if key in names}
    require_match(expected, found, str(shards[0].parent))
    exact = set(getattr(module, "_keep_in_fp32_modules", None) or ())
    try:
        with progress(f"loading {shards[0].parent.name}/{shards[0].name}", len(names)) as steps:
            for key, tensor in stream(shards):
                if (name := names.get(key)) is None:
                    continue
                kind = torch.float32 if exact & set(name.split(".")) else dtype
                _assign(module, name, change(key, tensor).to(device=device, dtype=kind), tensor)
                steps.advance()
    except torch.OutOfMemoryError as error:
        raise MemoryShortageError(
            f"{device} has no room for {shards[0].parent.name}: let components or blocks be offloaded"
        ) from error
    return module.eval().requires_grad_(False)


def _assign(module: nn.Module, name: str, value: Tensor, source: Tensor) -> None:
    """Put `value` in the place of a parameter or buffer, and give back the file's pages where it is a copy."""
    owner, _, leaf = name.rpartition(".")
    holder = module.get_submodule(owner)
    if leaf in holder._parameters:
        holder._parameters[leaf] = nn.Parameter(value, requires_grad=False)
    else:
        holder._buffers[leaf] = value
    if value.data_ptr() != source.data_ptr():
        release_pages(source)
