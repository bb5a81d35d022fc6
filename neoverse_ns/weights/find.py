"""Weights that are already on this machine: a local path, or a hit in the hub's cache. Never uses the network."""

from __future__ import annotations

import json
from pathlib import Path

from neoverse_ns.errors import WeightsError
from neoverse_ns.inside import inside, leaves
from neoverse_ns.weights.config import INDEX, SUFFIXES, WeightsConfig


def weights_available(config: WeightsConfig) -> Path | None:
    """The file on this machine, or None where it is not, without using the network.

    Raises:
        SettingsError: A setting cannot mean anything.
    """
    config.validate()
    try:
        return find_weights(config)
    except WeightsError:
        return None


def find_weights(config: WeightsConfig) -> Path | None:
    """The file on this machine; None where it belongs to a hub repository and is not in the cache (or not whole).

    Raises:
        WeightsError: `source` names a place on disk and no such weights are there.
    """
    if config.local is not None:
        return _on_disk(config.local, config.file)
    file = cached_file(config, config.file)
    if file is not None and file.name.endswith(INDEX):
        parts = [cached_file(config, part) for part in sibling_parts(config.file, part_names(file))]
        return file if all(parts) else None
    return file


def cached_file(config: WeightsConfig, name: str) -> Path | None:
    """A file of the hub repository, where the hub's cache has it."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    cache = None if config.cache_dir is None else config.cache_dir.expanduser()
    hit = try_to_load_from_cache(config.source, name, cache_dir=cache, revision=config.revision)
    return Path(hit) if isinstance(hit, str) else None


def part_names(index: Path) -> list[str]:
    """File names of the parts that an `*.index.json` lists, each once, in order: relative, and in its folder.

    Raises:
        WeightsError: It is no such file, or lists files elsewhere.
    """
    try:
        mapping = json.loads(index.read_text("utf8"))["weight_map"]
        parts = sorted({str(part) for part in mapping.values()})
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"{index} is not an index of weights (no readable 'weight_map'): download it again"
        ) from error
    if outside := [part for part in parts if leaves(part)]:
        raise WeightsError(f"{index} lists '{outside[0]}', which is not beside it: download it again")
    return parts


def part_path(index: Path, part: str) -> Path:
    """Where a part that `index` lists lies, or would lie.

    In the hub's cache index and parts are links into one folder; other links must not lead anywhere else.

    Raises:
        WeightsError: It is a link to somewhere else.
    """
    try:
        return inside(index.parent, part, also=index.resolve().parent)
    except ValueError as error:
        raise WeightsError(f"of {index}: {error}; put the file itself there, or give the folder it is in") from error


def sibling_parts(index: str, parts: list[str]) -> list[str]:
    """Names of an index's parts inside the repository: they lie beside the index."""
    folder = Path(index).parent
    return [(folder / part).as_posix() for part in parts]


def _on_disk(path: Path, name: str) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise WeightsError(f"no weights at {path}: give a file, a folder that has {name}, or a hub id (owner/name)")
    if (path / name).is_file():
        return path / name
    held = sorted(p for p in path.iterdir() if p.is_file() and p.name.endswith((*SUFFIXES, INDEX)))
    indices = [p for p in held if p.name.endswith(INDEX)]
    if len(indices) == 1 or len(held) == 1:
        return indices[0] if indices else held[0]
    has = f"it has {', '.join(p.name for p in held[:4])}{', ...' * (len(held) > 4)}" if held else "it has no weights"
    if trained := _newest_checkpoint(path, name):
        raise WeightsError(f"{path} has no {name}, but checkpoints of a training: name one of them, such as {trained}")
    raise WeightsError(f"{path} has no {name} ({has}): put it there, or name another file")


def _newest_checkpoint(path: Path, name: str) -> Path | None:
    """In the folder of a training, or in its folder of checkpoints."""
    found = [file.parent for pattern in ("step-*", "checkpoints/step-*") for file in path.glob(f"{pattern}/{name}")]
    return max(found, key=lambda folder: (len(folder.name), folder.name), default=None)
