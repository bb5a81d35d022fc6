"""The example of a cluster: its settings are accelerate's, its commands are ours, and its scripts are a shell's."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import tyro
import yaml

from neoverse_ns.cli.train_control import TrainControl
from neoverse_ns.cli.train_reconstructor import TrainReconstructor

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "examples" / "cluster"
SCRIPTS = sorted(CLUSTER.glob("*.slurm"))


def command(script: Path, name: str) -> list[str]:
    """What a script gives to our command, as a shell would."""
    text = script.read_text().replace("\\\n", " ")
    given = re.search(rf"neoverse_ns\.cli\.main {name} (.*)\"", text)
    assert given is not None
    return shlex.split(re.sub(r"\$(\w+)", lambda match: f"/{match[1].lower()}", given[1]))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_a_shells_and_name_files_that_are_there(script: Path) -> None:
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    named = re.findall(r"examples/cluster/[\w.]+", script.read_text())
    assert len(named) >= 2
    assert all((ROOT / name).is_file() for name in named)


def test_commands_take_their_flags() -> None:
    assert len(SCRIPTS) == 2
    given = command(CLUSTER / "train_reconstructor.slurm", "train-reconstructor")
    reconstructor = tyro.cli(TrainReconstructor, args=given).preset
    reconstructor.validate()
    assert (reconstructor.steps, reconstructor.workers, reconstructor.initial.start) == (150_000, 8, "worldmirror")
    assert len(reconstructor.data) == 8
    control = tyro.cli(TrainControl, args=command(CLUSTER / "train_control.slurm", "train-control")).training
    assert (control.steps, control.deepspeed, control.context) == (50_000, True, (11, 21))


@pytest.mark.parametrize(("name", "kind"), [("ddp.yaml", "MULTI_GPU"), ("fsdp2.yaml", "FSDP")])
def test_settings_are_accelerates(name: str, kind: str) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(CLUSTER / name))
    assert str(config.distributed_type).endswith(kind)
    assert (config.num_machines, config.num_processes) == (4, 32)
    if kind == "FSDP":
        settings = yaml.safe_load((CLUSTER / name).read_text())["fsdp_config"]
        assert settings["fsdp_version"] == 2
        assert settings["fsdp_reshard_after_forward"] is False
