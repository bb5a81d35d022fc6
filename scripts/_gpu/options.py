"""What the user asked for, and what a check is told of it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def threads() -> int:
    """Of every check. Compilers work beside it: threads that wait for each other must not wait for a processor too."""
    return max(1, cores() // 4)


@dataclass(frozen=True)
class Options:
    """The command line.

    Attributes:
        device: What is checked, `cuda` or `cpu`.
        tiny: As little work as shows that everything runs.
        minutes: After which it ends.
        only: Words; jobs whose names contain one of them run. None given runs all.
        markdown: Where to write the table.
        json: Where to write every number.
    """

    device: str = "cuda"
    tiny: bool = False
    minutes: float = 8.0
    only: tuple[str, ...] = ()
    markdown: Path | None = None
    json: Path | None = None


@dataclass(frozen=True)
class Settings:
    """What every check is told.

    Attributes:
        device: What is checked.
        tiny: As little work as possible.
        folder: Where checks leave what later ones take up.
        gsplat: Whether gsplat may be loaded: never while another process builds it, nor where that failed.
    """

    device: str
    tiny: bool
    folder: str
    gsplat: bool = False

    @property
    def on_cuda(self) -> bool:
        return self.device == "cuda"
