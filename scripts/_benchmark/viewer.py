"""A viewer of a finished run, as long as somebody looks."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 300.0
"""Seconds until it must listen."""


@contextmanager
def running_viewer(config: Path) -> Iterator[int]:
    """Start `ns-viewer` on a run, and stop it in the end.

    Args:
        config: The run's config.yml.

    Yields:
        The port of this machine that it serves its page and its websocket at.
    """
    log = Path(tempfile.mkstemp(suffix=".log")[1])
    command = [str(Path(sys.executable).parent / "ns-viewer"), "--load-config", str(config)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        yield _port(process, log)
    finally:
        process.terminate()
        process.wait(60)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Where a viewer listens, once it says so."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"ws://\S+:(\d+)", log.read_text("utf8", "replace"))
        if found:
            return int(found.group(1))
        time.sleep(0.2)
    raise SystemExit(f"no viewer came up: {log.read_text('utf8', 'replace')[-3000:]}")
