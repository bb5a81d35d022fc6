"""The most memory that a process held."""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType

_PROCESS = Path("/proc/self")


def peak_of(process: Path) -> float | None:
    """The most resident memory that a process held so far, in 10^9 bytes; None where the system does not tell.

    Args:
        process: Its folder in /proc.
    """
    try:
        status = (process / "status").read_text()
    except OSError:
        return None
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return None if peak is None else int(peak.group(1)) * 1024 / 1e9


class PeakMemory:
    """Context that measures resident memory, including what the process held before.

    Linux keeps the peak itself and lets a process reset it, which costs the measured code nothing (proc(5), clear_refs
    and VmHWM).

    Attributes:
        peak_gb: Peak in 10^9 bytes, once the block has ended; None where the system does not tell.
    """

    def __init__(self) -> None:
        self.peak_gb: float | None = None
        self._reset = False

    def __enter__(self) -> PeakMemory:
        try:
            (_PROCESS / "clear_refs").write_text("5")
            self._reset = True
        except OSError:
            # Another system, or a container that forbids it: without the reset the peak would be an earlier one.
            self._reset = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reset:
            self.peak_gb = peak_of(_PROCESS)
