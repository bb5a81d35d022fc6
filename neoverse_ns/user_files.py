"""Files of this user alone: where they are kept, and whether anybody else could have put them there.

Compiled code is run and cached results are believed, so neither is read from a place that others can write to.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

CACHE_VARIABLE = "NEOVERSE_CACHE_DIR"
"""Environment variable naming the cache folder."""

_OPEN = stat.S_IWGRP | stat.S_IWOTH


def cache_root(chosen: Path | None = None) -> Path:
    """The cache folder: `chosen`, else $NEOVERSE_CACHE_DIR, else `neoverse_ns` in the user's cache folder.

    A user without a home folder gets :func:`fallback_root`.
    """
    if chosen is not None:
        return chosen.expanduser()
    if os.environ.get(CACHE_VARIABLE):
        return Path(os.environ[CACHE_VARIABLE]).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "neoverse_ns"
    except RuntimeError:
        return fallback_root()


def fallback_root() -> Path:
    """This user's folder in the system's temporary one, where others may have made it: see :func:`private_folder`."""
    return Path(tempfile.gettempdir()) / ("neoverse_ns" if _me() is None else f"neoverse_ns-{_me()}")


def private_folder(folder: Path) -> Path:
    """Make `folder`, which only this user can then write to; one of theirs that was open to others is closed to them.

    What an open folder holds by then need not be theirs: see :func:`why_foreign`.

    Raises:
        OSError: It cannot be made, is a link, or belongs to another user; `strerror` says which.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if (reason := why_not_mine(folder)) is not None:
        raise PermissionError(errno.EPERM, reason, str(folder))
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if why_foreign(folder) is not None:
        folder.chmod(0o700)
    return folder


def why_not_mine(path: Path) -> str | None:
    """What `path` is where it is a link or another user's, as the end of a sentence; None where it is this user's.

    On Windows, whose user folders are closed to others by default, it is always None.

    Raises:
        OSError: There is nothing at `path`, or it cannot be looked at.
    """
    found = path.lstat()
    if _me() is None:
        return None
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link"
    return None if found.st_uid == _me() else "belongs to another user"


def why_foreign(path: Path) -> str | None:
    """:func:`why_not_mine`, or that others may write to it, and so what it holds need not be this user's.

    Raises:
        OSError: As of :func:`why_not_mine`.
    """
    reason = why_not_mine(path)
    if reason is None and _me() is not None and path.lstat().st_mode & _OPEN:
        return "can be written by other users"
    return reason


def why_foreign_inside(folder: Path) -> str | None:
    """A sentence on `folder` where :func:`why_foreign`, or on the first thing in it, however deep, that is not theirs.

    Raises:
        OSError: As of :func:`why_not_mine`.
    """
    if (reason := why_foreign(folder)) is not None:
        return f"{folder} {reason}"
    for place, folders, files in os.walk(folder):
        for path in (Path(place, name) for name in sorted(folders + files)):
            if (reason := why_not_mine(path)) is not None:
                return f"{path} {reason}"
    return None


def _me() -> int | None:
    """Number of the user whose rights this process has; None where the system has no such numbers."""
    return os.geteuid() if hasattr(os, "geteuid") else None
