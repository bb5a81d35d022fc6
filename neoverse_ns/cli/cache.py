"""`ns-neoverse cache`: what finished reconstructions take on disk, and making room."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from neoverse_ns.console import CONSOLE, say
from neoverse_ns.errors import SettingsError
from neoverse_ns.sizes import parse_bytes, shown_bytes
from neoverse_ns.user_files import cache_root

if TYPE_CHECKING:
    from neoverse_ns.reconstruct.cache_entries import CacheEntry

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


@dataclass(kw_only=True)
class _CacheFlags:
    """Which cache."""

    cache_dir: Path | None = None
    """Its folder; by default $NEOVERSE_CACHE_DIR, or the user's cache folder."""

    def root(self) -> Path:
        """Of the cache.

        Raises:
            SettingsError: The folder that was named does not exist.
        """
        root = cache_root(self.cache_dir)
        if self.cache_dir is not None and not root.is_dir():
            raise SettingsError(f"--cache-dir {self.cache_dir}: there is no such folder")
        return root


@dataclass(kw_only=True)
class List(_CacheFlags):
    """Show every reconstruction in the cache with its size, the clip it was made of, and when it was used last."""

    def run(self) -> None:
        """Print them.

        Raises:
            SettingsError: --cache-dir does not exist, or $NEOVERSE_CACHE_LIMIT is no size.
        """
        from neoverse_ns.reconstruct.cache_entries import cache_entries
        from neoverse_ns.reconstruct.cache_limit import cache_limit

        root = self.root()
        entries, limit = cache_entries(root), cache_limit(root)
        if entries:
            _show(entries)
        total = shown_bytes(sum(entry.size for entry in entries))
        most = "without limit" if limit is None else f"of {shown_bytes(limit)}"
        say(f"{len(entries)} reconstructions in {root}: {total} {most}")


@dataclass(kw_only=True)
class Prune(_CacheFlags):
    """Remove reconstructions from the cache, those used longest ago first; what is in use or being written stays.

    For example:

    ns-neoverse cache prune --older-than 30d

    ns-neoverse cache prune --to-size 10GB --dry-run

    Without a choice the cache is brought within its limit, and what killed programs left is removed. Reconstructions
    are made again where they are needed; finished runs do not depend on them.
    """

    older_than: str | None = None
    """Remove what was not used for so long: 12h, 30d, 4w."""
    to_size: str | None = None
    """Then remove more until the rest is no larger, such as 10GB."""
    all: bool = False
    """Remove all of them."""
    dry_run: bool = False
    """Only show what would be removed."""

    def run(self) -> None:
        """Remove, and say what.

        Raises:
            SettingsError: A choice is no age or size, they contradict each other, or --cache-dir does not exist.
        """
        if self.all and (self.older_than or self.to_size):
            raise SettingsError("--all removes everything: give it without --older-than and --to-size")
        age = None if self.older_than is None else parse_age(self.older_than)
        size = None if self.to_size is None else parse_bytes(self.to_size, "--to-size")
        from neoverse_ns.reconstruct.cache_entries import cache_entries, remove_entries
        from neoverse_ns.reconstruct.cache_limit import cache_limit, keep_within

        root = self.root()
        if self.older_than is None and self.to_size is None:
            size = 0 if self.all else cache_limit(root)
        entries = cache_entries(root)
        removed: list[CacheEntry] = []
        if age is not None:
            now = time.time()
            removed = remove_entries([entry for entry in entries if now - entry.used > age], self.dry_run)
        gone = {entry.folder for entry in removed}
        removed += keep_within(root, size, self.dry_run, without=gone)
        if removed:
            _show(removed)
        freed, left = sum(entry.size for entry in removed), sum(entry.size for entry in entries)
        what = "would be removed from" if self.dry_run else "removed from"
        say(f"{len(removed)} reconstructions, {shown_bytes(freed)}, {what} {root}; {shown_bytes(left - freed)} stay")


@dataclass
class CacheCommand:
    """Look at the cache of finished reconstructions, or make room in it."""

    action: tyro.conf.OmitArgPrefixes[
        Annotated[List, tyro.conf.subcommand(name="list")] | Annotated[Prune, tyro.conf.subcommand(name="prune")]
    ]

    def run(self) -> None:
        """Do what was asked for."""
        self.action.run()


def parse_age(text: str) -> float:
    """Seconds of such as `12h`, `30d` or `4w`.

    Raises:
        SettingsError: It is no age.
    """
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise SettingsError(f"--older-than must be an age such as 12h, 30d or 4w, got '{text}'")
    return float(found[1]) * _SECONDS[found[2]]


def _show(entries: Sequence[CacheEntry]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("key", "clip", "frames", "size", "last use")
    for entry in entries:
        key = entry.folder.name[:12] if entry.whole else "left unfinished" if entry.left else "being written"
        frames = "" if entry.frames is None else str(entry.frames)
        table.add_row(key, escape(entry.clip or "?"), frames, shown_bytes(entry.size), _ago(entry.used))
    CONSOLE.print(table)


def _ago(moment: float) -> str:
    passed = max(time.time() - moment, 0.0)
    for unit, name in (("d", "days"), ("h", "hours"), ("m", "minutes")):
        if passed >= 2 * _SECONDS[unit]:
            return f"{passed / _SECONDS[unit]:.0f} {name} ago"
    return "just now"
