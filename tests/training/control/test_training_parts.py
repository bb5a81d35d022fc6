"""Clips, stretches, the objective, a new control branch and DeepSpeed's settings, each by itself."""

from __future__ import annotations

import importlib.util
import json

import pytest
import torch

from neoverse_ns.cli.main import parse
from neoverse_ns.cli.train_control import TrainControl
from neoverse_ns.errors import ClipError, RefinementError, RunError, SettingsError
from neoverse_ns.generate.refiners.wan.control import ControlInput
from neoverse_ns.generate.refiners.wan.files import find_transformer
from neoverse_ns.generate.refiners.wan.schedule import training_noise
from neoverse_ns.training.control.checkpoint import control_state, save_control, save_model
from neoverse_ns.training.control.clips import find_clips
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.deepspeed import SETTINGS_FILE, deepspeed_file, write_settings
from neoverse_ns.training.control.fresh import with_fresh_control
from neoverse_ns.training.control.objective import Example, flow_matching_loss
from tests.generate.refiners.wan.tiny_wan import build_transformer, save_diffusers_layout, save_release_layout


def test_clips_and_their_captions(tmp_path):
    (tmp_path / "b.MP4").touch()
    (tmp_path / "b.txt").write_text("a  street\n")
    (tmp_path / "a.b").mkdir()
    (tmp_path / "a.b" / "0.png").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.md").touch()
    found = find_clips(tmp_path)
    assert [(clip.path.name, clip.caption) for clip in found] == [("a.b", None), ("b.MP4", "a street")]
    (tmp_path / "a.b.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ClipError, match=r"a\.b\.txt cannot be read"):
        find_clips(tmp_path)
    with pytest.raises(ClipError, match="neither videos nor folders"):
        find_clips(tmp_path / "empty")
    with pytest.raises(ClipError, match="no folder of clips"):
        find_clips(tmp_path / "gone")


class _Answers(torch.nn.Module):
    """Remembers what it is asked, and answers with one tensor."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer, self.asked = answer, []

    def forward(self, noisy, timestep, text, control):
        self.asked.append((noisy, timestep))
        return self.answer


def test_loss_is_the_weighted_error_of_the_velocity():
    generator = torch.Generator().manual_seed(0)
    sample, noise, answer = (torch.randn(1, 4, 2, 2, 2, generator=generator) for _ in range(3))
    control = ControlInput(sample, sample, torch.zeros(1, 1, 5, 16, 16), torch.zeros(1, 6, 5, 16, 16))
    levels = training_noise()
    example = Example(sample, control, torch.zeros(1, 3, 8), noise, level=600)
    model = _Answers(answer)
    loss = flow_matching_loss(model, example, levels)
    sigma, weight = float(levels.sigmas[600]), float(levels.weights[600])
    torch.testing.assert_close(loss, weight * ((answer - (noise - sample)) ** 2).mean())
    noisy, timestep = model.asked[0]
    torch.testing.assert_close(noisy, sample + sigma * (noise - sample))
    assert float(timestep) == pytest.approx(1000 * sigma)
    assert float(flow_matching_loss(_Answers(noise - sample), example, levels)) == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("layout", ["release", "diffusers"])
def test_new_control_branch_leaves_wan_unchanged(tmp_path, layout):
    save = save_release_layout if layout == "release" else save_diffusers_layout
    part = find_transformer(save(tmp_path / "model"))
    assert part is not None
    model = with_fresh_control(part, 1, torch.float32, "cpu", seed=0)
    again = with_fresh_control(part, 1, torch.float32, "cpu", seed=0)
    other = with_fresh_control(part, 1, torch.float32, "cpu", seed=1)
    assert len(model.vace_blocks) == len(model.blocks) == 3
    name = "mask_camera_embedding.0.weight"
    assert torch.equal(model.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(model.state_dict()[name], other.state_dict()[name])
    assert not any(value.is_meta or not torch.isfinite(value).all() for value in model.state_dict().values())
    torch.testing.assert_close(model.vace_blocks[2].attn1.to_q.weight, model.blocks[2].attn1.to_q.weight)
    generator = torch.Generator().manual_seed(0)
    latents, text = torch.randn(1, 4, 2, 2, 2, generator=generator), torch.randn(1, 7, 16, generator=generator)
    pixels = torch.randn(1, 7, 5, 16, 16, generator=generator)
    control = ControlInput(latents, latents, pixels[:, :1], pixels[:, 1:])
    with torch.no_grad():
        alone = build_transformer()(latents, torch.tensor([500.0]), text)
        torch.testing.assert_close(model(latents, torch.tensor([500.0]), text, control), alone)


def test_model_is_written_in_shards_with_an_index(tmp_path):
    model = build_transformer()
    save_model(model, tmp_path / "model", torch.bfloat16, shard_bytes=40_000)
    part = find_transformer(tmp_path / "model")
    assert part is not None
    assert len(part.files) > 2
    assert part.layout == "release"
    assert part.parameters == sum(value.numel() for value in model.state_dict().values())
    (tmp_path / "file").touch()
    for write in (
        lambda: save_model(model, tmp_path / "file" / "x", torch.float32),
        lambda: save_control(control_state(model), tmp_path / "file" / "x", 1),
    ):
        with pytest.raises(RunError, match="cannot write to"):
            write()


def test_deepspeed_settings(tmp_path, monkeypatch):
    config = ControlTrainingConfig(accumulate=4)
    settings = json.loads(write_settings(config, tmp_path / "out", bf16=True).read_text())
    assert settings["zero_optimization"]["stage"] == 2
    assert (settings["bf16"]["enabled"], settings["gradient_clipping"]) == (True, 1.0)
    assert settings["gradient_accumulation_steps"] == 4
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RefinementError, match="pip install deepspeed"):
        deepspeed_file(config, tmp_path, bf16=True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert deepspeed_file(config, tmp_path, bf16=True) == tmp_path / SETTINGS_FILE
    config.deepspeed_config = tmp_path / "own.json"
    with pytest.raises(RunError, match="no DeepSpeed settings"):
        deepspeed_file(config, tmp_path, bf16=True)
    config.deepspeed_config.write_text("{}")
    assert deepspeed_file(config, tmp_path, bf16=True) == config.deepspeed_config


def test_command_takes_the_flags_people_type():
    flags = ["--steps", "7", "--learning-rate", "2e-5", "--width", "320", "--wan.model", "m", "--deepspeed"]
    flags += ["--reconstructor", "network", "--network.weights", "n", "--wear.share", "0.5"]
    command = parse(["train-control", "clips", "--output-dir", "out", *flags])
    assert isinstance(command, TrainControl)
    training = command.training
    assert (training.steps, training.learning_rate, training.wan.model) == (7, 2e-5, "m")
    assert (training.scene.clip.width, training.scene.clip.num_frames, training.deepspeed) == (320, 81, True)
    assert training.scene.held_out_every == 0
    assert (training.scene.reconstructor, training.scene.network.weights) == ("network", "n")
    assert training.wear.share == 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"frames": 80},
        {"learning_rate": 0.0},
        {"fresh_control": 0},
        {"context": (0, 3)},
        {"context": (21, 11)},
    ],
)
def test_settings_out_of_range_are_errors(wrong):
    with pytest.raises(SettingsError):
        ControlTrainingConfig(**wrong).validate()
