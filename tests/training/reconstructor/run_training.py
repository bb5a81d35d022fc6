"""A short training of a tiny network on small synthetic worlds, in this process or in processes of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.training.data.draw import SampleConfig
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.reconstructor.config import (
    OptimiserConfig,
    ReconstructorTrainingConfig,
    ValidationConfig,
)
from neoverse_ns.training.reconstructor.initial import InitialConfig

ROOT = Path(__file__).resolve().parents[3]
NETWORK = NetworkArchitecture("conv", 16, 4, 2, (0, 1, 2, 3), 8, 8, (4, 4, 4, 4))


def tiny_config(**changes: Any) -> ReconstructorTrainingConfig:
    """Two keyframes of 28x42, one clip a step and process; `weights` are those of a network to go on from."""
    changes = {"optimiser": {}, "batch": {}, "validation": {}, "weights": None, **changes}
    weights = changes.pop("weights")
    optimiser = OptimiserConfig(**{"rate": 1e-3, "rate_patch_embed": 1e-3, "warm_up": 2, **changes.pop("optimiser")})
    batch = {"keyframes": (2, 2), "frames_per_gpu": 2, "longest_side": 42, "aspect": (1.5, 1.5), **changes.pop("batch")}
    validation = ValidationConfig(**{"every": 0, "samples": 3, "keyframes": 2, **changes.pop("validation")})
    config = ReconstructorTrainingConfig(
        optimiser=optimiser,
        batch=PlanConfig(**batch),
        sample=SampleConfig(),
        initial=InitialConfig("scratch") if weights is None else InitialConfig("published", weights),
        network=NETWORK,
        validation=validation,
        device="cpu",
        recompute=False,
        workers=0,
        log_every=1,
        keep_every=None,
    )
    return replace(config, **changes)


def train(output: Path, kill_at: int | None = None, **changes: Any) -> Any:
    """Train; where `kill_at` is given, die as of kill -9 while the checkpoint of that step is being written."""
    from neoverse_ns.training.reconstructor import trainer

    if kill_at is not None:
        write = trainer.write_network

        def deadly(*args: Any) -> Path:
            path = write(*args)
            if path.parent.name.startswith(f"step-{kill_at:06d}"):
                os.kill(os.getpid(), 9)
            return path

        trainer.write_network = deadly
    made = trainer.ReconstructorTrainer(output, tiny_config(**changes))
    made.run()
    return made


def start(output: Path, processes: int = 1, environment: dict[str, str] | None = None, **arguments: Any) -> list[int]:
    """The same in processes of their own, which find each other as torchrun's do; their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = []
    for rank in range(processes):
        shared = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
        where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "ACCELERATE_USE_CPU": "true"}
        told = {key: str(value) for key, value in {**shared, **where}.items()} if processes > 1 else {}
        run = os.environ | told | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | (environment or {})
        words = [sys.executable, __file__, str(output), json.dumps(arguments)]
        running.append(subprocess.Popen(words, env=run, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    try:
        said = [process.communicate(timeout=600)[0].decode() for process in running]
    finally:
        for process in running:
            process.kill()
    codes = [process.returncode for process in running]
    if any(code not in (0, -9) for code in codes):
        print("\n".join(said))
    return codes


def figures(output: Path) -> list[dict[str, float]]:
    """What was logged."""
    return [json.loads(line) for line in (output / "figures.jsonl").read_text().splitlines()]


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(Path(sys.argv[1]), **json.loads(sys.argv[2]))
