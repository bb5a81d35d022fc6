"""JSON files of data sets; whatever is wrong with one is told with its name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neoverse_ns.datafiles.reading import read_text
from neoverse_ns.errors import UNREADABLE, ClipError


def read_json(path: Path) -> Any:
    """Whatever a JSON file holds.

    Raises:
        ClipError: It is missing or no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClipError(f"{path}: is no valid JSON ({error})") from error


@contextmanager
def fields_of(path: Path, what: str) -> Iterator[None]:
    """Within the block, a field that is missing or holds something else is told as an error of that file.

    Args:
        path: The file.
        what: It should be, for the message.

    Raises:
        ClipError: In place of what was raised within.
    """
    try:
        yield
    except ClipError:
        raise
    except UNREADABLE as error:
        told = f"has no {error}" if isinstance(error, KeyError) else str(error)
        raise ClipError(f"{path}: is not {what} ({told})") from error
