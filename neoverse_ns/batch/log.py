"""What a worker prints, kept with the clip that it belongs to."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

LOG = "log.txt"
"""Name of the file in a clip's folder."""


@contextmanager
def printing_to(path: Path) -> Iterator[None]:
    """Let everything that this process prints, its programs included, be added to a file while the block runs."""
    _flush()
    kept = [os.dup(number) for number in (1, 2)]
    with path.open("a", encoding="utf8", errors="replace", buffering=1) as file:
        try:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
            # Elsewhere than in a plain process, Python's own streams do not lead there.
            with redirect_stdout(file), redirect_stderr(file):
                yield
        finally:
            for number, old in zip((1, 2), kept, strict=True):
                os.dup2(old, number)
                os.close(old)


def say_final_paths(path: Path, start: int, draft: str, final: str) -> None:
    """In what was added to a log behind `start` call a folder that was moved by its new name.

    Args:
        path: Of the log; a missing one is left alone.
        start: Bytes of the log before the step began.
        draft: Name of the folder while it was filled.
        final: Its name now, no longer than that.
    """
    _flush()
    if not path.is_file():
        return
    with path.open("r+b") as file:
        file.seek(start)
        old = file.read()
        new = re.sub(rb"(?<![\w.-])" + re.escape(draft.encode()) + rb"(?![\w@-])", lambda _: final.encode(), old)
        if new != old:
            # What is left of the longer text goes last: whenever this ends, no line is lost.
            file.seek(start)
            file.write(new)
            file.truncate()


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
