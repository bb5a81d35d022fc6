"""The folder that a run writes to, tried before anything that takes time."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.errors import RunError
from neoverse_ns.folders import check_folder


def check_output(folder: Path) -> None:
    """Make sure that files can be written there, or that it can be made; nothing is left behind.

    Raises:
        RunError: They cannot.
    """
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file, and shall be the folder of what is written: choose another name")
    try:
        check_folder(folder)
    except OSError as error:
        raise RunError(f"cannot write to {folder} ({error.strerror or error}): choose another folder") from error
