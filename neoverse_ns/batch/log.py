"""What a worker prints, kept with the clip that it belongs to."""

from __future__ import annotations

import os
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


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
