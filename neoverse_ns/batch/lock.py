"""Locks of files, which the system gives back when their holder dies, however it does."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_NAP = 0.2
"""Seconds between two looks at a lock that is waited for."""


@contextmanager
def locked(path: Path, wait: bool = False) -> Iterator[bool]:
    """Hold the lock of a file while the block runs.

    Args:
        path: The lock's file, created where needed and left where it is: to remove it would let two in.
        wait: Until it is free, however long.

    Yields:
        Whether it is held; without `wait` another process may have it.

    Raises:
        OSError: The file cannot be made, or the file system has no locks.
    """
    with path.open("a+b") as file:
        held = _take(file)
        while wait and not held:
            time.sleep(_NAP)
            held = _take(file)
        yield held


def _take(file: IO[bytes]) -> bool:
    """Closing the file gives the lock back."""
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError:
        return _take_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take_on_windows(file: IO[bytes]) -> bool:
    msvcrt = importlib.import_module("msvcrt")
    try:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True
