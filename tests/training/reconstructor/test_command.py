"""`ns-neoverse train-reconstructor`, and what becomes of its checkpoints."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from neoverse_ns.cli.main import entrypoint, parse
from neoverse_ns.cli.train_reconstructor import TrainReconstructor
from neoverse_ns.clip.synthetic.render import render_synthetic
from neoverse_ns.clip.synthetic.save import save_synthetic
from neoverse_ns.errors import SettingsError
from neoverse_ns.training.reconstructor.config import ReconstructorTrainingConfig, small

TINY = {
    "steps": 1,
    "workers": 0,
    "validation.every": 0,
    "batch.longest-side": 42,
    "batch.aspect": "1.5 1.5",
    "batch.frames-per-gpu": 3,
    "network.embed-dim": 16,
    "network.heads": 2,
    "network.gs-dim": 8,
    "network.features": 8,
    "network.out-channels": "4 4 4 4",
}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["ns-neoverse", *arguments])
    entrypoint()


def test_trains_and_the_result_reconstructs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    from accelerate.state import AcceleratorState

    monkeypatch.chdir(tmp_path)
    settings = [word for name, value in TINY.items() for word in (f"--{name}", *str(value).split())]
    run(monkeypatch, "train-reconstructor", "--output-dir", "out", "small", *settings)
    AcceleratorState._reset_state(reset_partial_state=True)
    said = " ".join(capsys.readouterr().out.split())
    assert "frames per second" in said
    assert "of the time waiting for data" in said
    save_synthetic(render_synthetic(4, 64, 48), tmp_path)
    words = ("reconstruct", "clip.mp4", "--output-dir", "scene", "--cache-dir", "cache", "--reconstructor", "network")
    network = ("--network.weights", "out/checkpoints/step-000001", "--network.num-keyframes", "3")
    run(monkeypatch, *words, *network)
    document = json.loads((tmp_path / "scene" / "cameras.json").read_text("utf8"))
    assert document["report"]["reconstructor"] == "network"
    assert (tmp_path / "scene" / "gaussians_4d.ply").is_file()


def test_presets_are_valid_and_told_apart():
    small().validate()
    ReconstructorTrainingConfig().validate()
    import tyro

    made = tyro.cli(TrainReconstructor, args=["--output-dir", "out", "small", "--steps", "7"])
    assert made.preset.steps == 7
    assert made.preset.network == small().network
    assert tyro.cli(TrainReconstructor, args=["--output-dir", "out"]).preset == ReconstructorTrainingConfig()
    assert tyro.cli(TrainReconstructor, args=["small", "--output-dir", "out"]).output_dir == Path("out")


def test_data_that_is_named_again_is_added():
    words = ("train-reconstructor", "--output-dir", "out", "small", "--data", "a", "b@2", "--steps", "7", "--data=c=/d")
    made = parse([*words, "--data", "e"]).preset
    assert made.data == ("a", "b@2", "c=/d", "e")
    assert made.steps == 7
    assert parse([*words[:4]]).preset.data == ("worlds",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps must be 1 or more"),
        ({"data": ()}, "data names no clips"),
        ({"keep_every": 0}, "keep_every must be 1 or more"),
    ],
)
def test_settings_out_of_range_are_named(change, message):
    with pytest.raises(SettingsError, match=message):
        ReconstructorTrainingConfig(**change).validate()


def test_optimiser_settings_out_of_range_are_named():
    for name, value in (("rate", 0.0), ("betas", (0.9, 1.0)), ("ema", 1.0), ("end", 2.0), ("accumulate", 0)):
        config = ReconstructorTrainingConfig()
        setattr(config.optimiser, name, value)
        with pytest.raises(SettingsError, match=f"optimiser.{name}"):
            config.validate()
