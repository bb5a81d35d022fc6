"""Where the viewer writes: names that a browser sends lead nowhere outside the run folder."""

from __future__ import annotations

import re
from pathlib import Path

from neoverse_ns.errors import SettingsError

LONGEST = 80


def safe_name(asked: str) -> str:
    """A file name without folder or suffix, of what somebody typed.

    Letters, digits, dots, dashes and underscores stay; whatever else there is becomes a dash.

    Raises:
        SettingsError: Nothing is left of it.
    """
    name = re.sub(r"[^\w.-]+", "-", asked, flags=re.ASCII).strip("-.")[:LONGEST].strip("-.")
    if not name:
        raise SettingsError(f"'{asked}' is no name for a file: use letters, digits, dashes and underscores")
    return name


def inside(folder: Path, *parts: str) -> Path:
    """A path below `folder`, whose parents exist; every part is made safe.

    Raises:
        SettingsError: A part has nothing in it, or a link leads out of the folder.
    """
    path = folder.joinpath(*(safe_name(part) for part in parts))
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise SettingsError(f"{path} lies outside the run folder: remove the link that leads there")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
