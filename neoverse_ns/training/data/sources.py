"""Where the clips of a training come from: manifests, or folders of a layout, each with its weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, overload, runtime_checkable

import numpy as np
from jaxtyping import Int64

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.training.data.manifest import Manifest
from neoverse_ns.training.data.manifest_index import repeats
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.detect import detect
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.shards_clip import open_sharded
from neoverse_ns.training.data.shards_find import find_shards, is_sharded
from neoverse_ns.training.data.truth import TruthClip

_MANIFESTS = (".jsonl", ".ndjson")


@runtime_checkable
class Rows(Protocol):
    """Rows by number, each of which may be read only when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> ManifestRow: ...


@dataclass(frozen=True)
class ClipSource:
    """Clips that are drawn from with one weight.

    Attributes:
        name: Unlike that of any other source of the training; what is drawn from this one depends on it.
        folder: What the places of its rows are relative to.
        rows: Its clips.
        weight: Of its share among all sources.
        static: All its clips are known to be static, so that a curriculum may begin with it.
    """

    name: str
    folder: Path
    rows: Rows
    weight: float = 1.0
    static: bool = False


class ChosenRows(Sequence[ManifestRow]):
    """Some of a sequence's rows, by number; one that is there twice comes twice in an epoch."""

    def __init__(self, rows: Rows, numbers: Int64[np.ndarray, " n"]) -> None:
        self._rows, self._numbers = rows, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> ManifestRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ManifestRow]: ...
    def __getitem__(self, index: int | slice) -> ManifestRow | list[ManifestRow]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        return self._rows[int(self._numbers[index])]


def chosen_rows(rows: Rows, choice: Callable[[ManifestRow], bool]) -> ChosenRows:
    """The rows that a choice takes, in proportion to their weights; looks at every row once."""
    taken = [(number, row.weight) for number in range(len(rows)) if choice(row := rows[number])]
    numbers = np.array([number for number, _ in taken], dtype=np.int64)
    return ChosenRows(rows, np.repeat(numbers, repeats(np.array([weight for _, weight in taken]))))


def open_source(path: Path, dataset: str | None = None, split: str | None = "train", weight: float = 1.0) -> ClipSource:
    """Clips of a manifest (`.jsonl`), of shards, or of a folder in one of the layouts.

    Args:
        path: A manifest, whose rows lie beside it; a shard (`.tar`), a folder of shards or their list (`shards.json`);
            or a folder.
        dataset: Layout of a folder; None looks what it holds. Rows of manifests, and clips of our shards, name theirs.
        split: Which rows; None takes all.
        weight: Of the source among others.

    Raises:
        ClipError: There is nothing there, nothing of that split, or it is damaged.
        SettingsError: The weight is no weight, or the layout is not known, or not said by shards of others.
    """
    if not 0 <= weight < float("inf"):
        raise SettingsError(f"the weight of {path} is {weight}: give a number from 0 on")
    if path.suffix.lower() in _MANIFESTS:
        rows: Rows = Manifest(path, split)
        folder = path.parent
    elif is_sharded(path):
        folder, found = find_shards(path, dataset)
        rows = chosen_rows(found, lambda row: split in (None, row.split))
    elif path.is_file():
        raise ClipError(f"{path} is neither a manifest ({', '.join(_MANIFESTS)}) nor a shard (.tar), nor a folder")
    else:
        folder, found = path, data_set(dataset or detect(path, f"NAME={path}")).find(path)
        rows = chosen_rows(found, lambda row: split in (None, row.split))
    if not len(rows):
        raise ClipError(f"{path} has no clip{f' of the split {split!r}' if split else ''}: check the split's name")
    return ClipSource(str(path), folder, rows, weight)


def divided(source: ClipSource) -> list[ClipSource]:
    """The static clips of a source and the others as two sources, which share its weight by their numbers.

    Looks at every row once; what is wholly of one kind stays one source.

    Raises:
        ClipError: A row is damaged.
    """
    rows = source.rows
    if isinstance(rows, Manifest):
        parts: list[Rows] = [Manifest(rows.path, rows.choice.split, kind) for kind in (True, False)]
    else:
        parts = [chosen_rows(rows, lambda row, kind=kind: row.static == kind) for kind in (True, False)]
    total = sum(map(len, parts))
    named = zip(("static", "moving"), parts, strict=True)
    return [
        replace(
            source,
            name=f"{source.name} ({kind})",
            rows=part,
            weight=source.weight * len(part) / total,
            static=kind == "static",
        )
        for kind, part in named
        if len(part)
    ]


def open_clip(folder: Path, row: ManifestRow) -> TruthClip:
    """Open the clip of a row, wherever it lies; to be closed by the caller.

    Raises:
        ClipError: It is not there, or damaged.
        SettingsError: No layout is called as its data set.
    """
    if "shard" in row.source:
        return open_sharded(folder, row)
    return data_set(row.dataset).open(row.set_folder(folder), row)
