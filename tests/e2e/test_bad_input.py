"""Bad input of the real commands: one line, exit code 1, nothing lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.e2e.commands import Shell, both
from tests.e2e.conftest import TrainedRun
from tests.e2e.test_train_eval import strict_json

TRAIN = ("ns-train", "neoverse", "--vis", "tensorboard", "--max-num-iterations", "2", "--output-dir", "bad")


@pytest.fixture
def shell(run: TrainedRun) -> Shell:
    return run.shell


def test_wrong_devices_missing_file_and_nan(shell: Shell) -> None:
    lines: dict[str, str] = {}

    def fail(name: str, *arguments: str) -> None:
        lines[name] = shell.fail(*TRAIN, *arguments)

    jobs = {
        "missing": ("--data", "no_such_clip.mp4"),
        "nan": ("--data", "clip.mp4", "--pipeline.model.life-span-gamma", "nan"),
        "start": ("--data", "clip.mp4", "--start", "nan"),
        "late": ("--data", "clip.mp4", "--start", "500"),
        # A clip that is not there shows that nothing is looked at before the refusal.
        "devices": ("--data", "no_such_clip.mp4", "--machine.num-devices", "2", "--timestamp", "devices"),
        "machines": ("--data", "clip.mp4", "--machine.num-machines", "2", "--timestamp", "machines"),
    }
    if not torch.cuda.is_available():
        jobs["device"] = ("--data", "clip.mp4", "--machine.device-type", "cuda")
    both(*(lambda name=name, extra=extra: fail(name, *extra) for name, extra in jobs.items()))
    assert "no_such_clip.mp4" in lines["missing"]
    assert "life-span-gamma" in lines["nan"]
    assert "start" in lines["start"]
    assert "nan" in lines["start"]
    assert "500" in lines["late"]
    assert "lower start" in lines["late"]
    for name in ("devices", "machines"):
        assert f"--machine.num-{name} is 2" in lines[name]
        assert not list(shell.folder.glob(f"bad/**/{name}"))
    if "device" in jobs:
        assert "cuda" in lines["device"]
        assert "use cpu" in lines["device"]


def test_checkpoint_of_another_method(shell: Shell) -> None:
    folder = shell.folder
    foreign = {"step": 5, "pipeline": {"_model.field.weight": torch.zeros(2)}, "optimizers": {}, "scalers": {}}
    torch.save(foreign, folder / "foreign.ckpt")
    # Nerfstudio's own schedules leave NumPy scalars behind, which torch refuses to read by default.
    torch.save(foreign | {"schedulers": {"fields": {"lr": np.float64(1.0)}}}, folder / "numpy.ckpt")
    (folder / "garbage.ckpt").write_bytes(b"not a checkpoint")
    lines: dict[str, str] = {}

    def fail(name: str) -> None:
        lines[name] = shell.fail(*TRAIN, "--data", "clip.mp4", "--held-out-every", "4", "--load-checkpoint", name)

    names = ("foreign.ckpt", "numpy.ckpt", "garbage.ckpt")
    both(*(lambda name=name: fail(name) for name in names))
    assert "not written by a neoverse method" in lines["foreign.ckpt"]
    assert "numpy.ckpt" in lines["numpy.ckpt"]
    assert "garbage.ckpt" in lines["garbage.ckpt"]


def test_damaged_run_folder_without_its_clip(run: TrainedRun, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    copy = tmp_path / "out"
    shutil.copytree(run.folder, copy / "clip" / "neoverse" / "first")
    shutil.rmtree(copy / "clip" / "neoverse" / "first" / "scene")
    config = copy / "clip" / "neoverse" / "first" / "config.yml"
    text = config.read_text("utf8")
    # The copy lives elsewhere, and its clip is gone.
    for part in run.shell.folder.relative_to(tmp_path.parent).parts[:1]:
        text = text.replace(f"- {part}\n", f"- {tmp_path.name}\n")
    config.write_text(text, "utf8")
    line = shell.fail("ns-eval", "--load-config", config, "--output-path", "metrics.json")
    assert "clip.mp4" in line
    assert "scene" in line
    assert not (tmp_path / "metrics.json").exists()


def test_a_failed_start_under_an_old_name_keeps_the_old_run(run: TrainedRun, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(run.clip.read_bytes())
    old = tmp_path / "bad" / "clip" / "neoverse" / "again"
    shutil.copytree(run.folder, old)
    shell.fail(*TRAIN, "--data", clip, "--timestamp", "again", "--start", "500")
    assert (old / "scene" / "scene.json").is_file()
    assert list((old / "nerfstudio_models").glob("*.ckpt"))


def test_single_image_and_two_frames_train_and_evaluate(run: TrainedRun, clips: tuple[Path, np.ndarray]) -> None:
    shell = run.shell
    Image.fromarray(run.frames[0]).save(shell.folder / "photo.png")
    shutil.copy(clips[0] / "short.mp4", shell.folder / "short.mp4")

    def train_and_evaluate(data: str) -> None:
        shell.succeed(*TRAIN, "--data", data, "--timestamp", "t")
        config = shell.folder / "bad" / Path(data).stem / "neoverse" / "t" / "config.yml"
        shell.succeed("ns-eval", "--load-config", config, "--output-path", f"{data}.json")

    both(lambda: train_and_evaluate("photo.png"), lambda: train_and_evaluate("short.mp4"))
    for data, frames in (("photo.png", 1), ("short.mp4", 2)):
        results = strict_json(shell.folder / f"{data}.json")["results"]
        assert results["protocol"] == "same-frames"
        assert results["num_frames"] == frames
        assert results["num_held_out"] == 0
        assert results["psnr"] > 22
