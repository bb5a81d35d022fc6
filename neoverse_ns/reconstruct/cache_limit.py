"""How much the cache may hold, and what goes first when it holds more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from neoverse_ns.reconstruct.cache_entries import CacheEntry, cache_entries, remove_entries
from neoverse_ns.sizes import parse_bytes

LIMIT_VARIABLE = "NEOVERSE_CACHE_LIMIT"
"""Environment variable with the most that the cache may hold, such as `20GB`, or `none`."""

_SHARE, _LEAST, _MOST = 0.1, 5 * 10**9, 50 * 10**9


def cache_limit(root: Path, chosen: str | None = None) -> int | None:
    """Most bytes of reconstructions in the cache: `chosen`, else $NEOVERSE_CACHE_LIMIT, else a tenth of its disk,
    between 5 and 50 GB; None is without limit.

    Args:
        root: The cache's folder.
        chosen: Such as `20GB`, or `none`.

    Raises:
        SettingsError: A limit was given that is no size.
    """
    if chosen is not None:
        return parse_bytes(chosen, "--cache-limit")
    named = os.environ.get(LIMIT_VARIABLE)
    if named:
        return parse_bytes(named, f"${LIMIT_VARIABLE}")
    place = root.absolute()
    while not place.exists():
        place = place.parent
    try:
        return int(min(max(_SHARE * shutil.disk_usage(place).total, _LEAST), _MOST))
    except OSError:
        return _MOST


def keep_within(
    root: Path, limit: int | None, dry_run: bool = False, without: Collection[Path] = ()
) -> list[CacheEntry]:
    """Remove what was left unfinished, and then entries, used longest ago first, until the rest is within `limit`.

    What is in use or being written stays, and so may hold more.

    Args:
        root: The cache's folder.
        limit: Bytes; None is without limit.
        dry_run: Only find out which.
        without: Folders of entries that do not count, as if they were removed.

    Returns:
        Those that were removed.
    """
    entries = [entry for entry in cache_entries(root) if entry.folder not in without]
    removed = remove_entries([entry for entry in entries if entry.left], dry_run)
    total = sum(entry.size for entry in entries) - sum(entry.size for entry in removed)
    for entry in reversed(entries):
        if limit is None or total <= limit:
            break
        if entry.whole and remove_entries([entry], dry_run):
            removed.append(entry)
            total -= entry.size
    return removed
