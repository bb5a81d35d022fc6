"""Sentences on files that are not there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def lacking(folder: Path, what: str, names: Iterable[str]) -> list[str]:
    """One sentence on those names that are no files in the folder; none where all are.

    Args:
        folder: That the names are relative to.
        what: They are, in the plural.
        names: Each of a file.
    """
    all_names = list(names)
    gone = [name for name in all_names if not (folder / name).is_file()]
    if not gone:
        return []
    if len(gone) == len(all_names):
        return [f"{folder.name}: none of {len(all_names)} {what} is there ({gone[0]})"]
    return [f"{folder.name}: {len(gone)} of {len(all_names)} {what} are missing, the first of them {gone[0]}"]
