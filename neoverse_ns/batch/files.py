"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_DRAFT, _OLD = ".draft-", ".old-"


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object; None where there is none, or something else."""
    try:
        found = json.loads(path.read_text("utf8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def step_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `folder` when the block ends without an error.

    Only for whoever holds the lock of the folder above: the draft's name tells which step was at work, should it be
    killed; see :func:`unfinished`.

    Raises:
        OSError: It cannot be made or moved.
    """
    draft, old = draft_of(folder), folder.with_name(_OLD + folder.name)
    for left in (draft, old):
        remove(left)
    draft.mkdir(parents=True)
    try:
        yield draft
        if folder.exists():
            os.replace(folder, old)
        os.replace(draft, folder)
    finally:
        for left in (draft, old):
            remove(left)


def draft_of(folder: Path) -> Path:
    """Where a step's folder is filled."""
    return folder.with_name(_DRAFT + folder.name)


def unfinished(folder: Path) -> list[str]:
    """Names of the steps that were at work in a clip's folder when they were killed."""
    return sorted(path.name.removeprefix(_DRAFT) for path in folder.glob(f"{_DRAFT}*"))


def sweep(folder: Path) -> None:
    """Remove what killed steps left in a clip's folder; only for whoever holds its lock."""
    for pattern in (f"{_DRAFT}*", f"{_OLD}*", ".writing-*"):
        for left in folder.glob(pattern):
            remove(left)


def remove(path: Path) -> None:
    """Remove a file or a folder, where there is one, as far as that can be done."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
