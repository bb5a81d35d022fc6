"""What lies in the cache of reconstructions: whole entries, and what is being written, or was left by the killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.errors import UNREADABLE
from neoverse_ns.reconstruct.cache_use import last_use, sole_use
from neoverse_ns.reconstruct.scene import CLIP_FOLDER
from neoverse_ns.reconstruct.store import frames_of
from neoverse_ns.user_files import fallback_root, why_not_mine

SCENES = "scenes"
"""Folder of the cache in which reconstructions lie."""
LEFT_AFTER = 3600.0
"""Seconds without a change after which what is being written counts as left by a writer that was killed."""

_KEY = re.compile(r"[0-9a-f]{24}")
_DRAFT = re.compile(r"\.[0-9a-f]{24}-.*")


@dataclass(frozen=True)
class CacheEntry:
    """A reconstruction in the cache, or what there is of one.

    Attributes:
        folder: Where it lies.
        size: Bytes of all its files.
        used: When it was last used, or written to, in seconds since 1970.
        clip: Name of the clip that it was made of; empty where that cannot be told.
        frames: Sampled frames; None likewise.
        whole: False of what is being written, or was left.
    """

    folder: Path
    size: int
    used: float
    clip: str
    frames: int | None
    whole: bool

    @property
    def left(self) -> bool:
        """Whether it was left unfinished."""
        return not self.whole and time.time() - self.used > LEFT_AFTER


def cache_entries(root: Path) -> list[CacheEntry]:
    """Everything in the cache's folder of reconstructions, that used last first; whatever else lies there is not named.

    Args:
        root: The cache's folder; it need not exist.
    """
    folder = root / SCENES
    try:
        found = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError:
        return []
    # In the temporary folder anybody may have made it.
    if root == fallback_root():
        found = [path for path in found if _is_mine(path)]
    entries = [_entry(path, whole=True) for path in found if _KEY.fullmatch(path.name)]
    entries += [_entry(path, whole=False) for path in found if _DRAFT.fullmatch(path.name)]
    return sorted(entries, key=lambda entry: entry.used, reverse=True)


def remove_entries(entries: Sequence[CacheEntry], dry_run: bool = False) -> list[CacheEntry]:
    """Remove those that nobody uses or writes.

    Args:
        entries: As :func:`cache_entries` gives them.
        dry_run: Only find out which.

    Returns:
        Those that were removed.
    """
    return [entry for entry in entries if _remove(entry, dry_run)]


def _remove(entry: CacheEntry, dry_run: bool) -> bool:
    if not entry.whole:
        if entry.left and not dry_run:
            shutil.rmtree(entry.folder, ignore_errors=True)
        return entry.left
    with sole_use(entry.folder) as free:
        if not free or dry_run:
            return free
        # Gone in one step: whoever looks finds all of it or nothing.
        grave = entry.folder.with_name(f".{entry.folder.name}-removed-{uuid.uuid4().hex[:8]}")
        try:
            os.replace(entry.folder, grave)
        except OSError:
            return False
    shutil.rmtree(grave, ignore_errors=True)
    return True


def _entry(folder: Path, whole: bool) -> CacheEntry:
    size, changed = 0, 0.0
    for place, _, files in os.walk(folder):
        for path in (Path(place), *(Path(place, name) for name in files)):
            try:
                found = path.lstat()
            except OSError:
                continue
            changed = max(changed, found.st_mtime)
            size += found.st_size if path != Path(place) else 0
    used = (last_use(folder) or changed) if whole else changed
    return CacheEntry(folder, size, used, _clip_name(folder), frames_of(folder), whole)


def _clip_name(folder: Path) -> str:
    try:
        return Path(json.loads((folder / CLIP_FOLDER / "clip.json").read_text("utf8"))["source"]).name
    except UNREADABLE:
        return ""


def _is_mine(path: Path) -> bool:
    try:
        return why_not_mine(path) is None
    except OSError:
        return False
