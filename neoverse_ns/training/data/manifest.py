"""Very many clips by name: a file of JSON lines of which only asked rows are ever read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, overload

import numpy as np

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.manifest_index import Choice, index_path, line_number, opened_index, write_index
from neoverse_ns.training.data.manifest_rows import row_from_line, row_line
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.whole_file import whole_file

_GUESS = 4096


class Manifest(Sequence[ManifestRow]):
    """Rows of a manifest, or of one split of it, read one at a time; worker processes open it anew.

    The places of lines lie in a file beside it (`clips.jsonl.idx`), which is made when it is missing or older, and
    mapped: a million rows open at once, and take no memory. Each split that is asked for gets such a file of its own
    (`clips.jsonl.train.idx`), by one pass through the manifest; see :func:`opened_index`.
    """

    def __init__(self, path: Path, split: str | None = None, static: bool | None = None) -> None:
        """Open a manifest.

        Args:
            path: JSON lines as :func:`write_manifest` leaves them.
            split: Only rows of it; None takes all.
            static: Only static clips, or only others; None takes both.

        Raises:
            ClipError: It cannot be read; or a line is damaged, where a choice looks at every one.
        """
        self.path, self.choice = path, Choice(split, static)
        self._offsets = opened_index(path, self.choice)
        self._file: int | None = None

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, index: int) -> ManifestRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ManifestRow]: ...
    def __getitem__(self, index: int | slice) -> ManifestRow | list[ManifestRow]:
        """A row.

        Raises:
            ClipError: The line is damaged; says which one.
        """
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"{self.path} has {len(self)} rows, none of number {index}")
        start = int(self._offsets[place])
        try:
            return row_from_line(self._line(start))
        except OSError as error:
            raise ClipError(f"{self.path}: cannot be read ({error.strerror or error})") from error
        except ClipError as error:
            raise ClipError(f"{self.path}, line {line_number(self.path, start)}: {error}") from error

    def __getstate__(self) -> dict[str, Any]:
        kept = None if isinstance(self._offsets, np.memmap) else self._offsets
        return {"path": self.path, "choice": self.choice, "_offsets": kept, "_file": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._offsets is None:
            self._offsets = opened_index(self.path, self.choice)

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            with suppress(OSError):
                os.close(self._file)  # pyright: ignore[reportArgumentType]

    def _line(self, start: int) -> bytes:
        if self._file is None:
            self._file = os.open(self.path, os.O_RDONLY)
        # Reading at a place leaves no place behind, which forked processes would share.
        line, size = b"", _GUESS
        while b"\n" not in line and (piece := os.pread(self._file, size, start + len(line))):
            line, size = line + piece, 2 * size
        return line.partition(b"\n")[0]


def write_manifest(rows: Iterable[ManifestRow], path: Path) -> int:
    """Write rows and their index as they come; whoever reads meanwhile finds the old file or the new one.

    Returns:
        How many there were.

    Raises:
        ClipError: Two rows have one id; or the file cannot be written.
    """
    ids: set[int] = set()
    starts, place = [], 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            for row in rows:
                # Eight bytes each instead of the names: there may be millions.
                if (mark := hash(row.id)) in ids:
                    raise ClipError(f"two clips of {path} are called '{row.id}': names must differ")
                ids.add(mark)
                starts.append(place)
                place += file.write(row_line(row).encode() + b"\n")
        write_index(index_path(path, Choice()), np.array([*starts, place], dtype=np.uint64))
    except OSError as error:
        raise ClipError(f"{path}: cannot be written ({error.strerror or error})") from error
    return len(starts)
