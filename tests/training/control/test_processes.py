"""Runs that are killed, and runs of several processes."""

from __future__ import annotations

import contextlib
import signal
import socket
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from neoverse_ns.generate.refiners.wan.files import find_transformer
from neoverse_ns.training.control.checkpoint import CONTROL_FILE, MODEL
from neoverse_ns.training.control.trainer import ControlTrainer
from neoverse_ns.training.runs.checkpoints import finished_checkpoints
from tests.generate.refiners.wan.tiny_wan import save_release_layout
from tests.training.control.processes import SAVED, STEPS, start
from tests.training.control.small_run import WallScenes, small_config, write_clips


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_release_layout(tmp_path_factory.mktemp("wan") / "model")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"), 3, broken=frozenset({1}))


pytestmark = pytest.mark.usefixtures("new_process")


def newest(output: Path) -> dict[str, torch.Tensor]:
    return load_file(finished_checkpoints(output)[-1] / CONTROL_FILE)


def test_a_killed_run_goes_on_to_the_same_bits(clips: Path, model_folder: Path, tmp_path: Path) -> None:
    process = start("killed", clips, model_folder, tmp_path / "killed")
    said, _ = process.communicate(timeout=240)
    assert process.returncode == -signal.SIGKILL, said
    assert [path.name for path in finished_checkpoints(tmp_path / "killed")] == [f"step-{SAVED:06d}"]
    # What a save leaves that is killed counts for nothing.
    (tmp_path / "killed" / "checkpoints" / f"step-{STEPS:06d}.part").mkdir()
    for name in ("killed", "whole"):
        # With checkpoints as often, and another number of workers.
        config = small_config(model_folder, steps=STEPS, save_every=SAVED)
        trainer = ControlTrainer(clips, tmp_path / name, config, WallScenes())
        assert trainer.step == (SAVED if name == "killed" else 0)
        trainer.run()
        torch.manual_seed(0)
    killed, whole = newest(tmp_path / "killed"), newest(tmp_path / "whole")
    assert killed.keys() == whole.keys()
    assert all(torch.equal(killed[key], value) for key, value in whole.items())
    listed = [(tmp_path / name / "bad_clips.jsonl").read_text() for name in ("killed", "whole")]
    assert listed[0] == listed[1] != ""


def test_two_processes_that_divide_the_branch_learn_what_two_side_by_side_do(
    clips: Path, model_folder: Path, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.socket()) for _ in range(4)]
        for one in free:
            one.bind(("localhost", 0))
        ports = ",".join(str(one.getsockname()[1]) for one in free)
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "PORTS": ports, "ACCELERATE_USE_CPU": "true"}
    both = [
        start("together", clips, model_folder, tmp_path, RANK=str(rank), LOCAL_RANK=str(rank), **shared)
        for rank in (0, 1)
    ]
    for process in both:
        said, _ = process.communicate(timeout=400)
        assert process.returncode == 0, said
    beside, divided, stopped = (newest(tmp_path / name) for name in ("beside", "divided", "stopped"))
    learned = False
    for key, value in beside.items():
        torch.testing.assert_close(divided[key], value, atol=1e-6, rtol=1e-5)
        assert torch.equal(stopped[key], divided[key])
        learned |= not torch.equal(value, torch.zeros_like(value))
    assert learned
    # The branch whole, and nothing of frozen Wan; each process has written its own part of the optimiser's states.
    last = finished_checkpoints(tmp_path / "divided")[-1]
    assert {path.name for path in last.iterdir()} == {CONTROL_FILE, "progress.json", "settings.json", "state", "shared"}
    assert len(list((last / "shared").glob("*.distcp"))) == 2
    assert find_transformer(tmp_path / "divided" / MODEL) is not None
