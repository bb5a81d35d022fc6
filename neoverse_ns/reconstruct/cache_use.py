"""Which entries of the cache are in use: by locks of files, which the system gives back when a process dies."""

from __future__ import annotations

import importlib
import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

LOCK = ".in-use"
"""File in an entry whose lock those share who use it."""
MARK = "scene.json"
"""File whose time of change says when the entry was used last."""

_MOST = 64
"""Entries that a process holds at once; who goes through thousands of clips has long done with the first ones."""
_HELD: OrderedDict[Path, int] = OrderedDict()


def hold(folder: Path) -> bool:
    """Keep an entry from being removed, from now until this process ends, :func:`release_all`, or many other entries.

    Its frames are read from there long after the scene was loaded. On a system or a disk without such locks nothing is
    held, and :func:`sole_use` is more careful.

    Args:
        folder: Of the entry.

    Returns:
        False where it is being removed, or gone.
    """
    with suppress(OSError):
        os.utime(folder / MARK)
    if folder in _HELD:
        _HELD.move_to_end(folder)
        if _is_lock_of(_HELD[folder], folder):
            return True
        release(folder)
    locks = _locks()
    if locks is None:
        return folder.is_dir()
    file = _opened(folder)
    if file is None:
        return folder.is_dir()
    try:
        locks.flock(file, locks.LOCK_SH | locks.LOCK_NB)
        # Between opening and locking it may have been removed.
        there = _is_lock_of(file, folder)
    except BlockingIOError:
        there = False
    except OSError:
        # A file system without locks.
        os.close(file)
        return folder.is_dir()
    if not there:
        os.close(file)
        return False
    _HELD[folder] = file
    while len(_HELD) > _MOST:
        os.close(_HELD.popitem(last=False)[1])
    return True


def release(folder: Path) -> None:
    """Let go of one entry."""
    file = _HELD.pop(folder, None)
    if file is not None:
        os.close(file)


def release_all() -> None:
    """Let go of all entries that this process holds."""
    while _HELD:
        os.close(_HELD.popitem()[1])


@contextmanager
def sole_use(folder: Path) -> Iterator[bool]:
    """Whether nobody uses an entry, nor begins to while the block runs.

    Args:
        folder: Of the entry; it may be moved within the block.
    """
    locks = _locks()
    if locks is None:
        # Without locks, what was used within the day counts as in use.
        yield time.time() - last_use(folder) > 86_400
        return
    file = _opened(folder)
    if file is None:
        yield False
        return
    try:
        locks.flock(file, locks.LOCK_EX | locks.LOCK_NB)
        free = True
    except OSError:
        free = False
    try:
        yield free
    finally:
        os.close(file)


def last_use(folder: Path) -> float:
    """When an entry was used last, in seconds since 1970; 0 where that cannot be told."""
    try:
        return (folder / MARK).stat().st_mtime
    except OSError:
        return 0.0


def _opened(folder: Path) -> int | None:
    """The lock's file; None where there is none, nor can be made."""
    no_link = getattr(os, "O_NOFOLLOW", 0)
    # In a cache of others it can be read alone, which is enough to share its lock.
    for how in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):
        with suppress(OSError):
            return os.open(folder / LOCK, how | no_link, 0o644)
    return None


def _is_lock_of(file: int, folder: Path) -> bool:
    """Whether an open file is still that of the entry, which may have been removed, and written again since."""
    try:
        return os.path.samestat(os.fstat(file), (folder / LOCK).lstat())
    except OSError:
        return False


def _locks() -> ModuleType | None:
    try:
        return importlib.import_module("fcntl")
    except ImportError:
        return None
