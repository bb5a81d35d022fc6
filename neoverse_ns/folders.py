"""Folders that what users ask for is written to: tried before the work, made when there is something to write."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from neoverse_ns.console import say


def check_folder(folder: Path) -> None:
    """Make sure that files can be written there, or that it can be made; nothing is left behind.

    Raises:
        OSError: They cannot.
    """
    with tempfile.TemporaryFile(dir=_there(folder)):
        pass


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, and say so: a slip of the keyboard shall not hide files where nobody looks.

    Raises:
        OSError: It cannot be made.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        say(f"made the folder {folder.absolute()}")


@contextmanager
def folder_to_fill(folder: Path) -> Iterator[None]:
    """A folder that is there within the block; where the block fails, what was made of it and is empty goes again.

    Raises:
        OSError: It cannot be made.
    """
    above = _there(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        made = folder.absolute()
        while made != above:
            with suppress(OSError):
                made.rmdir()
            made = made.parent
        raise
    if folder.absolute() != above:
        say(f"made the folder {folder.absolute()}")


def _there(folder: Path) -> Path:
    """The folder, or the lowest one above it that exists."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return place
