"""Names that a file gives for other files: they must stay in its folder, whoever wrote it."""

from __future__ import annotations

import os
from pathlib import Path


def leaves(name: str) -> bool:
    """Whether a relative name is none, or climbs out of the folder it starts in, whatever lies there."""
    return bool(Path(name).anchor) or os.path.normpath(name).split(os.sep)[0] == os.pardir


def inside(folder: Path, name: str, also: Path | None = None) -> Path:
    """The file that `name` calls in `folder`; there need not be one.

    Args:
        folder: Where the name starts.
        name: Relative, as a file says it.
        also: Another folder to which links may lead.

    Raises:
        ValueError: The name is absolute, or leads out of the folder, be it by a symbolic link; the text says which.
    """
    if leaves(name):
        raise ValueError(f"'{name}' leads out of {folder}")
    path = folder / name
    try:
        real = path.resolve()
        allowed = [place.resolve() for place in (folder, also) if place is not None]
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"'{name}' is no usable name of a file ({error})") from error
    if not any(real.is_relative_to(place) for place in allowed):
        raise ValueError(f"'{name}' is a link that leads out of {folder}, to {real}")
    return path
