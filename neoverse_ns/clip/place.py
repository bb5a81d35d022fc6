"""Paths as people type them: what is none is refused in words that say what to give instead."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from neoverse_ns.errors import ClipError

# One letter would be a drive. A path has swallowed one of the address's slashes.
_ADDRESS = re.compile(r"^([a-z][a-z0-9+.-]+):/+(.*)", re.IGNORECASE | re.DOTALL)
_PATTERN = re.compile(r"[*?\[]|%0?\d*d")


def checked_place(path: Path) -> Path:
    """The path with `~` replaced by the home folder.

    Raises:
        ClipError: It is an address, a pattern of names, or a stream rather than a file or folder.
    """
    try:
        path = path.expanduser()
    except RuntimeError as error:
        raise ClipError(f"{path}: there is no such home folder") from error
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        _refuse_what_is_no_path(path)
        return path
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ClipError(
            f"{path}: a stream or device, which cannot be read twice; save the video to a file and give that"
        )
    return path


def _refuse_what_is_no_path(path: Path) -> None:
    address = _ADDRESS.match(str(path))
    if address is not None:
        scheme, rest = address.groups()
        if scheme.lower() == "file":
            raise ClipError(f"file:///{rest}: an address; give it as a path, /{rest}")
        raise ClipError(f"{scheme}://{rest}: an address on the network; download the video and give the file's path")
    if _PATTERN.search(path.name):
        raise ClipError(
            f"{path}: no such file, and patterns of names are not looked up; give the folder of images, {path.parent}"
        )
