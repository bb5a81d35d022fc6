"""Training the control branch of a tiny model on one small clip, from its folder to the refiner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from neoverse_ns.errors import RunError
from neoverse_ns.generate.refiners.wan.config import WanConfig
from neoverse_ns.generate.refiners.wan.refiner import WanRefiner
from neoverse_ns.training.control import texts as texts_module
from neoverse_ns.training.control.checkpoint import CONTROL_FILE, MODEL
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.objective import flow_matching_loss, make_example
from neoverse_ns.training.control.pairs import Draw, PairStream
from neoverse_ns.training.control.trainer import ControlTrainer
from neoverse_ns.training.data.tally import Tally
from neoverse_ns.training.runs.checkpoints import finished_checkpoints
from neoverse_ns.training.runs.non_finite import NonFiniteGuard
from tests.generate.refiners.wan.tiny_wan import build_transformer, make_conditions, save_release_layout
from tests.training.control.small_run import SMALL, WallScenes, small_config, write_clips


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    return save_release_layout(tmp_path_factory.mktemp("wan") / "model")


pytestmark = pytest.mark.usefixtures("new_process")


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = write_clips(tmp_path_factory.mktemp("clips"), 2)
    for number in range(2):
        (folder / f"{number:03d}.txt").write_text("the street\n at night")
    return folder


def _trainer(clips: Path, output: Path, config: ControlTrainingConfig) -> ControlTrainer:
    return ControlTrainer(clips, output, config, WallScenes())


def _draw(trainer: ControlTrainer, config: ControlTrainingConfig) -> Draw:
    return next(PairStream(trainer.pairs._source, config, trainer.scenes, Tally()))


def _held_out_loss(trainer: ControlTrainer) -> float:
    """The loss on examples that no training step draws, always the same."""
    total = 0.0
    for seed in range(6):
        draw = _draw(trainer, replace(trainer.config, seed=1000 + seed))
        text, generator = trainer.texts(draw.prompt), torch.Generator().manual_seed(seed)
        example = make_example(trainer.vae, draw.pair, text, 1000, generator, torch.device("cpu"))
        with torch.no_grad():
            total += float(flow_matching_loss(trainer.model, replace(example, level=160 * seed + 80), trainer.levels))
    return total / 6


def test_loss_falls_and_the_result_goes_to_the_refiner(tmp_path, clips, model_folder):
    config = small_config(model_folder, steps=16, learning_rate=1e-2, save_model=True)
    trainer = _trainer(clips, tmp_path / "out", config)
    before = _held_out_loss(trainer)
    losses = trainer.run()
    assert len(losses) == 16
    assert _held_out_loss(trainer) < 0.9 * before
    # Wan itself is as it was.
    start = build_transformer().state_dict()
    moved = {key for key, value in trainer.model.state_dict().items() if not torch.equal(value, start[key])}
    assert moved
    assert all(key.startswith(("vace_", "mask_camera_embedding.")) for key in moved)
    assert any(path.name.startswith("events.out.tfevents") for path in (tmp_path / "out").rglob("*"))

    def frames(model: Path, control: Path | None = None) -> torch.Tensor:
        base = str(model_folder)
        name = None if control is None else str(control)
        wan = WanConfig(model=str(model), base=base, control=name, device="cpu", steps=2, guidance=1.0)
        return WanRefiner(wan).refine(make_conditions(), "the street")

    newest = finished_checkpoints(tmp_path / "out")[-1]
    trained = frames(model_folder, newest / CONTROL_FILE)
    # The weights are the same to the bit; where the file's pages lie decides how a processor sums.
    torch.testing.assert_close(frames(tmp_path / "out" / MODEL), trained, atol=1e-5, rtol=0)
    assert not torch.allclose(frames(model_folder), trained, atol=1e-3)


def test_resuming_goes_on_as_if_it_had_not_stopped(tmp_path, clips, model_folder, capsys):
    settings = {"save_every": 2, "keep": 2, "gradient_checkpointing": False, "accumulate": 2}
    whole = _trainer(clips, tmp_path / "whole", small_config(model_folder, steps=5, **settings))
    whole_losses = whole.run()
    first = _trainer(clips, tmp_path / "parts", small_config(model_folder, steps=3, **settings))
    losses = first.run()
    resumed = _trainer(clips, tmp_path / "parts", small_config(model_folder, steps=5, **settings))
    assert resumed.step == 3
    assert losses + resumed.run() == whole_losses
    for key, value in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value), key
    assert [path.name for path in finished_checkpoints(tmp_path / "whole")] == ["step-000004", "step-000005"]
    assert "settings were others" not in capsys.readouterr().out
    done = _trainer(clips, tmp_path / "parts", small_config(model_folder, steps=5, clip_norm=0.5, **settings))
    assert done.run() == []
    said = " ".join(capsys.readouterr().out.split())
    assert "this run's settings were others before: clip_norm 1.0, now 0.5" in said
    assert "already has 5 steps: give a larger --steps than 5" in said


def test_prompt_mask_and_conditions_are_dropped(tmp_path, clips, model_folder):
    every = replace(SMALL, drop_prompt=1.0, drop_mask=1.0, drop_conditions=0.0)
    config = small_config(model_folder, steps=1, degradation=every)
    trainer = _trainer(clips, tmp_path / "out", config)
    draw = _draw(trainer, config)
    assert draw.prompt == ""
    assert not bool(draw.pair.conditions.mask.any())
    assert bool(draw.pair.conditions.rgb.any())
    assert not torch.equal(trainer.texts(""), trainer.texts("the street at night"))
    blank = replace(SMALL, drop_prompt=0.0, drop_mask=0.0, drop_conditions=1.0)
    draw = _draw(trainer, replace(config, degradation=blank))
    assert draw.prompt == "the street at night"
    text = trainer.texts(draw.prompt)
    example = make_example(trainer.vae, draw.pair, text, 1000, torch.Generator(), torch.device("cpu"))
    assert not bool(example.control.mask.any())
    assert not bool(example.control.plucker.any())
    trainer.run()


def test_bfloat16_trains_the_branch_in_float32(tmp_path, clips, model_folder):
    config = small_config(model_folder, steps=2, precision="bf16")
    trainer = _trainer(clips, tmp_path / "out", config)
    start = {key: value.clone() for key, value in trainer.model.state_dict().items()}
    assert trainer.model.patch_embedding.weight.dtype == torch.bfloat16
    assert {parameter.dtype for parameter in trainer.parameters} == {torch.float32}
    trainer.run()
    name = "vace_blocks.1.ffn.net.0.proj.weight"
    assert not torch.equal(trainer.model.state_dict()[name], start[name])


def test_losses_that_are_not_finite_leave_the_branch_alone_and_stop_training(tmp_path, clips, model_folder):
    trainer = _trainer(clips, tmp_path / "out", small_config(model_folder, steps=20))
    trainer.guard = NonFiniteGuard(trainer.accelerator, in_a_row=3)
    trainer.model.proj_out.bias.data.fill_(float("nan"))
    before = [parameter.detach().clone() for parameter in trainer.parameters]
    with pytest.raises(RunError, match="3 steps in a row were not finite"):
        trainer.run()
    assert trainer.step == 2
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.parameters, strict=True))


def test_captions_are_encoded_as_they_come_and_few_are_kept(tmp_path, clips, model_folder, monkeypatch):
    monkeypatch.setattr(texts_module, "HELD", 2)
    trainer = _trainer(clips, tmp_path / "out", small_config(model_folder, text_on="cpu"))
    words = ["the street", "night", "a street", "the night"]
    first = [trainer.texts(word) for word in words]
    assert len(trainer.texts) == 2
    assert all(torch.equal(trainer.texts(word), text) for word, text in zip(words, first, strict=True))
    dropped = _trainer(clips, tmp_path / "other", small_config(model_folder, text_on="drop"))
    assert torch.equal(dropped.texts("the street at night"), trainer.texts("the street at night"))
    assert dropped.texts._encoder is None


def test_what_learns_is_all_that_is_saved(tmp_path, clips, model_folder):
    trainer = _trainer(clips, tmp_path / "out", small_config(model_folder, steps=1, workers=0))
    trainer.run()
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    names = {path.name for path in files if not path.name.startswith(("events.out.tfevents", "hparams"))}
    assert names == {"control.safetensors", "optimizer.bin", "random_states_0.pkl", "run.0.json", "progress.json"} | {
        "settings.json",
        "figures.jsonl",
    }
    learned = sum(parameter.numel() for parameter in trainer.parameters)
    assert (
        sum(value.numel() for value in load_file(next(p for p in files if p.name == CONTROL_FILE)).values()) == learned
    )
    state = torch.load(next(p for p in files if p.name == "optimizer.bin"), weights_only=True)["state"]
    assert sum(entry["exp_avg"].numel() for entry in state.values()) == learned
