"""One small clip, trained once by the real ns-train; most end-to-end tests work on that run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic
from neoverse_ns.clip.write import write_video
from tests.e2e.commands import Result, Shell

FRAMES, WIDTH, HEIGHT = 13, 192, 112
STEPS = 20
HELD_OUT = (2, 6, 10)
"""Frames held out with `--held-out-every 4`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is marked `e2e`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@dataclass(frozen=True)
class TrainedRun:
    """A finished ns-train of the clip.

    Attributes:
        shell: Where it ran; the clip was given as a relative path.
        result: What it printed.
        folder: The run folder.
        frames: What the clip shows [n,h,w,3], before the codec.
        clip: The video file; tests that move it put it back.
    """

    shell: Shell
    result: Result
    folder: Path
    frames: np.ndarray
    clip: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.yml"


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A folder with `clip.mp4` and a shorter `short.mp4`, and the frames of the first."""
    folder = tmp_path_factory.mktemp("clips")
    synthetic = render_synthetic(FRAMES, WIDTH, HEIGHT)
    save_synthetic(synthetic, folder)
    write_video(folder / "short.mp4", synthetic.frames[:2], 8.0)
    return folder, synthetic.frames.numpy()


@pytest.fixture(scope="session")
def run(clips: tuple[Path, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """`ns-train neoverse --data clip.mp4` in the clip's own folder."""
    folder, frames = clips
    shell = Shell(tmp_path_factory.mktemp("work"))
    clip = shell.folder / "clip.mp4"
    clip.write_bytes((folder / "clip.mp4").read_bytes())
    result = shell.succeed(
        *("ns-train", "neoverse", "--data", "clip.mp4", "--held-out-every", "4", "--vis", "tensorboard"),
        *("--max-num-iterations", str(STEPS), "--output-dir", "out", "--timestamp", "first"),
        *("--logging.steps-per-log", "1"),
    )
    return TrainedRun(shell, result, shell.folder / "out" / "clip" / "neoverse" / "first", frames, clip)
