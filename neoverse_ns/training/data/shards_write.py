"""Clips packed into shards, with a manifest that says where each lies."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.draws import number_of
from neoverse_ns.training.data.manifest import write_manifest
from neoverse_ns.training.data.manifest_rows import row_line
from neoverse_ns.training.data.row import FOLDER, ManifestRow
from neoverse_ns.training.data.shards import LIST, Member, write_member_index
from neoverse_ns.training.data.shards_find import VIDEOS, find_shards
from neoverse_ns.training.data.whole_file import whole_file

MANIFEST = "clips.jsonl"


def write_shards(
    rows: Iterable[ManifestRow], folder: Path, output: Path, largest: int = 10**9, prefix: str = "clips"
) -> int:
    """Pack clips that are a file or a folder each into shards of about `largest` bytes.

    Of a video only the pictures go in, not what other files know of it: sets that keep such things apart are converted
    to the own layout first. Beside the shards come an index of each one's members, `shards.json` as the package wids
    has it, and the manifest `clips.jsonl`. A clip of more than `largest` has a shard for itself.

    Args:
        rows: Clips, of which one is held at a time.
        folder: That their places are relative to.
        output: Made where needed.
        largest: Bytes of a shard.
        prefix: Of the shards' names.

    Returns:
        How many clips there were.

    Raises:
        ClipError: A clip is not there, needs more than its own file or folder, or nothing can be written.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        counts: list[int] = []
        total = write_manifest(_packed(rows, folder, output, largest, prefix, counts), output / MANIFEST)
        names = [_shard_name(prefix, number) for number in range(len(counts))]
        listed = [
            {"url": name, "nsamples": count, "filesize": (output / name).stat().st_size}
            for name, count in zip(names, counts, strict=True)
        ]
        with whole_file(output / LIST) as file:
            file.write(json.dumps({"wids_version": 1, "name": prefix, "shardlist": listed}, indent=1).encode())
    except OSError as error:
        raise ClipError(f"{output}: shards cannot be written ({error.strerror or error})") from error
    return total


def _packed(
    rows: Iterable[ManifestRow], folder: Path, output: Path, largest: int, prefix: str, counts: list[int]
) -> Iterator[ManifestRow]:
    waiting = iter(rows)
    row = next(waiting, None)
    while row is not None:
        path = output / _shard_name(prefix, len(counts))
        draft = path.with_name(f".{path.name}.part")
        count = 0
        try:
            with tarfile.open(draft, "w:", format=tarfile.PAX_FORMAT) as archive:
                while row is not None and (count == 0 or archive.offset + _size(folder, row) <= largest):
                    _pack(archive, folder, row)
                    count, row = count + 1, next(waiting, None)
            _publish(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        counts.append(count)
        yield from find_shards(path)[1]


def _publish(draft: Path, path: Path) -> None:
    with tarfile.open(draft, "r:") as archive:
        members = tuple(Member(m.name, m.offset, m.offset_data, m.size) for m in archive if m.isreg())
    os.replace(draft, path)
    write_member_index(path, path.stat().st_size, members)


def _pack(archive: tarfile.TarFile, folder: Path, row: ManifestRow) -> None:
    """Put a clip's row, then its file or its folder, into a shard."""
    place = _place(folder, row)
    name = _member_name(row.id)
    inside = f"{name}{place.suffix.lower()}" if place.is_file() else name
    # What is known beside a video lies in other files, which stay behind.
    has = frozenset() if place.suffix.lower() in VIDEOS else row.has
    source = {key: value for key, value in row.source.items() if key != FOLDER} | {"path": inside}
    line = row_line(replace(row, source=source, has=has)).encode()
    archive.addfile(_header(f"{name}.json", len(line)), io.BytesIO(line))
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    for file in files:
        target = inside if place.is_file() else f"{name}/{file.relative_to(place).as_posix()}"
        with file.open("rb") as content:
            archive.addfile(_header(target, os.fstat(content.fileno()).st_size), content)


def _header(name: str, size: int) -> tarfile.TarInfo:
    """Without times and owners, so that equal clips make equal shards."""
    header = tarfile.TarInfo(name)
    header.size = size
    return header


def _place(folder: Path, row: ManifestRow) -> Path:
    path = row.source.get("path")
    place = row.set_folder(folder) / path if isinstance(path, str) else None
    if place is None or not place.exists():
        raise ClipError(f"clip {row.id}: there is no file or folder {row.source.get('path')} in {folder} to pack")
    return place


def _size(folder: Path, row: ManifestRow) -> int:
    """Bytes that a clip takes in a shard, about."""
    place = _place(folder, row)
    files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return 2048 + sum(512 + -(-path.stat().st_size // 512) * 512 for path in files)


def _member_name(name: str) -> str:
    """An id as a name without dots and slashes, which mean something in shards; different ones stay different."""
    plain = re.sub(r"[^\w-]", "_", name, flags=re.ASCII)
    return plain if plain == name else f"{plain[:80]}-{number_of(name):016x}"


def _shard_name(prefix: str, number: int) -> str:
    return f"{prefix}-{number:06d}.tar"
