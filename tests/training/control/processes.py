"""Runs in processes of their own: one that is killed, and two that train together (MODE CLIPS MODEL OUT)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from neoverse_ns.clip.clip import Clip
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.training.control.trainer import ControlTrainer
from tests.training.control.small_run import WallScenes, small_config

STEPS, SAVED = 3, 2


class DeadlyScenes(WallScenes):
    """Kills the process when it is asked for a scene after the first `SAVED`."""

    def scene(self, clip: Clip, keyframes: int | None) -> SourceScene:
        if len(self.asked) == SAVED:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().scene(clip, keyframes)


def killed(clips: Path, model: Path, output: Path) -> None:
    ControlTrainer(clips, output, small_config(model, steps=STEPS, save_every=SAVED), DeadlyScenes()).run()


def together(clips: Path, model: Path, output: Path) -> None:
    """Side by side, divided by FSDP2, and divided with a stop in between."""
    from accelerate.state import AcceleratorState

    ports = iter(os.environ["PORTS"].split(","))

    def train(name: str, **settings) -> None:
        # Processes that meet again where they have just parted may miss each other.
        os.environ["MASTER_PORT"] = next(ports)
        config = small_config(model, gradient_checkpointing=False, **settings)
        ControlTrainer(clips, output / name, config, WallScenes()).run()
        AcceleratorState._reset_state(reset_partial_state=True)

    train("beside", steps=2, accumulate=2)
    train("divided", steps=2, accumulate=2, fsdp=True, save_model=True)
    train("stopped", steps=1, accumulate=2, fsdp=True)
    train("stopped", steps=2, accumulate=2, fsdp=True)


def start(mode: str, clips: Path, model: Path, output: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.training.control.processes", mode, str(clips), str(model), str(output)]
    more = {"OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1", **environment}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=os.environ | more, cwd=Path(__file__).parents[3], **pipes)


if __name__ == "__main__":
    {"killed": killed, "together": together}[sys.argv[1]](*map(Path, sys.argv[2:5]))
