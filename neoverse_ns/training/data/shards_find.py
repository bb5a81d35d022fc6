"""What clips lie in shards: ours, which carry their rows, and others' videos with captions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import av
import av.error

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.training.data.manifest_rows import row_of
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.shards import LIST, Member, Part, members_of

VIDEOS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}
_CAPTIONS = ("caption", "text", "SceneDescription")


def is_sharded(path: Path) -> bool:
    """Whether a path is a shard, a list of shards, or a folder that has such a list or shards and nothing else."""
    if path.is_dir():
        return (path / LIST).is_file() or (any(path.glob("*.tar")) and not any(p.is_dir() for p in path.iterdir()))
    return path.suffix.lower() == ".tar" or path.name == LIST


def find_shards(path: Path, dataset: str | None = None) -> tuple[Path, list[ManifestRow]]:
    """Rows of the clips in shards, and the folder that they are relative to.

    A clip is `NAME.json`, its row, with a folder `NAME/` or a file `NAME.mp4`; or, as the package webdataset has it,
    files that are equal up to the first dot, a video among them and perhaps a caption (`.txt`, or under `caption` in
    `.json`). Only headers are read.

    Args:
        path: A shard, a list of them as the package wids has it, or a folder with such a list or with shards.
        dataset: Layout of clips that do not say.

    Raises:
        ClipError: There is none, or it is damaged.
        SettingsError: A clip does not say its layout, and none is given.
    """
    listed = path / LIST if path.is_dir() else path
    if path.is_dir() and not listed.is_file():
        folder, shards = path, sorted(path.glob("*.tar"))
    elif listed.suffix.lower() == ".tar":
        folder, shards = listed.parent, [listed]
    else:
        folder, shards = listed.parent, _listed(listed)
    rows = [row for shard in shards for row in _rows(shard, folder, dataset)]
    if not rows:
        raise ClipError(f"{path}: no clips in shards; looked for NAME.json beside NAME.mp4 or NAME/ in *.tar")
    return folder, rows


def _listed(path: Path) -> list[Path]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ClipError(f"{path}: no list of shards ({error})") from error
    entries = found.get("shardlist") if isinstance(found, dict) else None
    if not isinstance(entries, list) or not all(isinstance(e, dict) and isinstance(e.get("url"), str) for e in entries):
        raise ClipError(f"{path}: no list of shards; it must have 'shardlist', whose entries have a 'url'")
    remote = [entry["url"] for entry in entries if "://" in entry["url"]]
    if remote:
        raise ClipError(f"{path} names {remote[0]}, which is not on this machine: fetch the shards first")
    return [path.parent / entry["url"] for entry in entries]


def _rows(shard: Path, folder: Path, dataset: str | None) -> Iterator[ManifestRow]:
    groups: defaultdict[str, list[Member]] = defaultdict(list)
    inside: defaultdict[str, list[Member]] = defaultdict(list)
    for member in members_of(shard):
        parent, name = PurePosixPath(member.name).parent, PurePosixPath(member.name).name
        groups[str(parent / name.partition(".")[0])].append(member)
        if parent.parts:
            inside[parent.parts[0]].append(member)
    place = shard.relative_to(folder).as_posix() if shard.is_relative_to(folder) else str(shard)
    for key, members in groups.items():
        if "/" in key and key.split("/")[0] in groups:
            continue
        told = _told(shard, members)
        member = _whole(key, members, inside.get(key, []))
        if member is not None and "set" in told:
            row = _row(shard, key, told)
            others = {name: value for name, value in row.source.items() if name != "path"}
            yield replace(row, source=others | {"shard": place} | member)
        else:
            yield from _foreign(shard, place, key, members, told, dataset)


def _row(shard: Path, key: str, told: dict[str, Any]) -> ManifestRow:
    try:
        return row_of({"id": key, "source": key} | told)
    except ClipError as error:
        raise ClipError(f"{shard}, {key}.json: {error}") from error


def _whole(key: str, members: list[Member], inside: list[Member]) -> dict[str, str | int] | None:
    """Where one of our clips lies: all records of its folder, or the content of its file."""
    if inside:
        last = max(inside, key=lambda member: member.offset)
        first = min(member.header for member in inside)
        end = last.offset + -(-last.size // 512) * 512
        return {"offset": first, "size": end - first, "member": f"{key}/"}
    files = [member for member in members if not member.name.endswith(".json")]
    return {"offset": files[0].offset, "size": files[0].size, "member": files[0].name} if files else None


def _foreign(
    shard: Path, place: str, key: str, members: list[Member], told: dict[str, Any], dataset: str | None
) -> Iterator[ManifestRow]:
    video = _video(members)
    if video is None:
        return
    if dataset is None:
        raise SettingsError(f"{shard}: {video.name} does not say its data set: name one")
    caption = next((told[name] for name in _CAPTIONS if isinstance(told.get(name), str)), None)
    for member in members:
        if member.name.endswith(".txt") and caption is None:
            caption = _content(shard, member).decode("utf8", "replace").strip()
    frames, fps, width, height = _probed(shard, video)
    source: dict[str, str | int] = {"shard": place, "offset": video.offset, "size": video.size, "member": video.name}
    yield ManifestRow(key, dataset, source, frames, fps, width, height, caption)


def _video(members: list[Member]) -> Member | None:
    return next((m for m in members if PurePosixPath(m.name).suffix.lower() in VIDEOS), None)


def _told(shard: Path, members: list[Member]) -> dict[str, Any]:
    """What the group's JSON says."""
    for member in members:
        if member.name.endswith(".json"):
            try:
                found = json.loads(_content(shard, member))
            except ValueError as error:
                raise ClipError(f"{shard}: {member.name} is no JSON ({error})") from error
            return found if isinstance(found, dict) else {}
    return {}


def _content(shard: Path, member: Member) -> bytes:
    with Part(shard, member.offset, member.size) as part:
        return part.readall()


def _probed(shard: Path, video: Member) -> tuple[int, float, int, int]:
    """Frames, frames per second, width and height by the container's header."""
    try:
        with Part(shard, video.offset, video.size) as part, av.open(part, metadata_errors="ignore") as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 0)
            seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
            return stream.frames or round(seconds * rate), rate, stream.width, stream.height
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:
        raise ClipError(f"{shard}: {video.name} is no video, or damaged ({error})") from error
