"""Running the real commands as a user would, and reading what they leave."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

BIN = Path(sys.executable).parent
PATIENCE = 600
"""Seconds after which a command counts as hung; a slow machine needs tens of them."""
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Result:
    """What a finished command printed (colours removed), and its exit code."""

    code: int
    output: str

    def line_with(self, text: str) -> str:
        """The first line that contains `text`."""
        found = [line for line in self.output.splitlines() if text in line]
        assert found, f"no line with {text!r} in:\n{self.output[-3000:]}"
        return found[0]


@dataclass(frozen=True)
class Shell:
    """A working directory with a cache of its own."""

    folder: Path

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def environment(self) -> dict[str, str]:
        """Two threads, a private cache, and lines wide enough not to be wrapped."""
        return os.environ | {"NEOVERSE_CACHE_DIR": str(self.cache), "OMP_NUM_THREADS": "2", "COLUMNS": "250"}

    def run(self, *command: str | Path, cwd: Path | None = None) -> Result:
        """Run an installed command to its end, whatever its exit code."""
        name, *arguments = command
        done = subprocess.run(
            [str(BIN / name), *map(str, arguments)],
            cwd=cwd or self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        return Result(done.returncode, ESCAPES.sub("", done.stdout.decode("utf8", "replace")))

    def succeed(self, *command: str | Path, cwd: Path | None = None) -> Result:
        """Run a command that must work."""
        result = self.run(*command, cwd=cwd)
        assert result.code == 0, f"{' '.join(map(str, command))} ended with {result.code}:\n{result.output[-4000:]}"
        return result

    def fail(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Run a command that must end with exit code 1 and a single line naming the error; returns that line."""
        result = self.run(*command, cwd=cwd)
        assert result.code == 1, f"{' '.join(map(str, command))} ended with {result.code}:\n{result.output[-4000:]}"
        assert "Traceback" not in result.output, result.output[-4000:]
        errors = [line for line in result.output.splitlines() if line.startswith("Error:")]
        assert len(errors) == 1, result.output[-4000:]
        return errors[0]


def both(*jobs: Callable[[], object]) -> None:
    """Run jobs two at a time: starting a command keeps one core busy for ten seconds. Raises what a job raises."""
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(job) for job in jobs]:
            future.result()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def read_video(path: Path) -> np.ndarray:
    """Frames [n,h,w,3] of a video."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def changes(frames: np.ndarray) -> np.ndarray:
    """Mean absolute difference of successive frames, in steps of 1/255."""
    return np.abs(np.diff(frames.astype(np.float32), axis=0)).mean(axis=(1, 2, 3))
