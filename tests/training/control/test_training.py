"""Training the control branch of a tiny model on one small clip, from its folder to the refiner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import ClipError, RefinementError
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.refiners.wan.config import WanConfig, WanSource
from neoverse_ns.generate.refiners.wan.refiner import WanRefiner
from neoverse_ns.reconstruct.cache import scene_key
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.store import save_scene
from neoverse_ns.training.control.checkpoint import CONTROL_FILE, MODEL, finished_checkpoints
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.objective import flow_matching_loss, make_example
from neoverse_ns.training.control.trainer import ControlTrainer
from tests.generate.refiners.wan.tiny_wan import build_transformer, make_conditions, save_release_layout
from tests.reconstruct.small_scene import small_scene

SMALL = DegradationSettings(kernel=(3, 5))


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    return save_release_layout(tmp_path_factory.mktemp("wan") / "model")


@pytest.fixture(autouse=True)
def _new_process():
    """accelerate keeps its settings for the life of a process: forget them, as a new one would have none."""
    from accelerate.state import AcceleratorState

    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder with one clip whose scene is in the cache, as if it had been reconstructed before."""
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "street.mp4").write_bytes(b"a street")
    (folder / "street.txt").write_text("the street\n at night")
    key = scene_key(folder / "street.mp4", _scene_config(tmp_path), "cpu")
    save_scene(small_scene(count=7, width=32, height=16), tmp_path / "cache" / "scenes" / key)
    return folder


def _scene_config(tmp_path: Path) -> SceneConfig:
    return SceneConfig(held_out_every=0, cache_dir=tmp_path / "cache")


def _config(tmp_path: Path, model: Path, **settings) -> ControlTrainingConfig:
    settings = {"learning_rate": 3e-3, "frames": 5, "context": None, "log_every": 5, "degradation": SMALL, **settings}
    wan = WanSource(model=str(model), base=None)
    return ControlTrainingConfig(wan=wan, scene=_scene_config(tmp_path), device="cpu", **settings)


def _held_out_loss(trainer: ControlTrainer) -> float:
    """The loss on examples that no training step draws, always the same."""
    total = 0.0
    for seed in range(6):
        generator = torch.Generator().manual_seed(seed)
        draw = trainer.pairs.draw(generator)
        example = make_example(trainer.vae, draw.pair, trainer._text(draw.prompt), 1000, generator, torch.device("cpu"))
        with torch.no_grad():
            total += float(flow_matching_loss(trainer.model, replace(example, level=160 * seed + 80), trainer.levels))
    return total / 6


def test_loss_falls_and_the_result_goes_to_the_refiner(tmp_path, clips, model_folder):
    config = _config(tmp_path, model_folder, steps=16, learning_rate=1e-2, save_model=True)
    trainer = ControlTrainer(clips, tmp_path / "out", config)
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


def test_resuming_goes_on_as_if_it_had_not_stopped(tmp_path, clips, model_folder):
    settings = {"save_every": 2, "keep": 2, "gradient_checkpointing": False, "accumulate": 2}
    whole = ControlTrainer(clips, tmp_path / "whole", _config(tmp_path, model_folder, steps=5, **settings))
    whole_losses = whole.run()
    first = ControlTrainer(clips, tmp_path / "parts", _config(tmp_path, model_folder, steps=3, **settings))
    losses = first.run()
    resumed = ControlTrainer(clips, tmp_path / "parts", _config(tmp_path, model_folder, steps=5, **settings))
    assert resumed.step == 3
    assert losses + resumed.run() == whole_losses
    for key, value in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value), key
    assert [path.name for path in finished_checkpoints(tmp_path / "whole")] == ["step-000004", "step-000005"]


def test_prompt_mask_and_conditions_are_dropped(tmp_path, clips, model_folder):
    every = replace(SMALL, drop_prompt=1.0, drop_mask=1.0, drop_conditions=0.0)
    trainer = ControlTrainer(clips, tmp_path / "out", _config(tmp_path, model_folder, steps=1, degradation=every))
    draw = trainer.pairs.draw(torch.Generator().manual_seed(0))
    assert draw.prompt == ""
    assert not bool(draw.pair.conditions.mask.any())
    assert bool(draw.pair.conditions.rgb.any())
    assert not torch.equal(trainer._text(""), trainer._text("the street at night"))
    blank = replace(SMALL, drop_prompt=0.0, drop_mask=0.0, drop_conditions=1.0)
    trainer.pairs._config.degradation = blank
    draw = trainer.pairs.draw(torch.Generator().manual_seed(0))
    assert draw.prompt == "the street at night"
    example = make_example(
        trainer.vae, draw.pair, trainer._text(draw.prompt), 1000, torch.Generator(), torch.device("cpu")
    )
    assert not bool(example.control.mask.any())
    assert not bool(example.control.plucker.any())
    trainer.run()


def test_bfloat16_trains_the_branch_in_float32(tmp_path, clips, model_folder):
    config = _config(tmp_path, model_folder, steps=2, precision="bf16")
    trainer = ControlTrainer(clips, tmp_path / "out", config)
    start = {key: value.clone() for key, value in trainer.model.state_dict().items()}
    assert trainer.model.patch_embedding.weight.dtype == torch.bfloat16
    assert {parameter.dtype for parameter in trainer.parameters} == {torch.float32}
    trainer.run()
    name = "vace_blocks.1.ffn.net.0.proj.weight"
    assert not torch.equal(trainer.model.state_dict()[name], start[name])


def test_a_loss_that_is_not_finite_stops_training(tmp_path, clips, model_folder):
    trainer = ControlTrainer(clips, tmp_path / "out", _config(tmp_path, model_folder, steps=2))
    trainer.model.proj_out.bias.data.fill_(float("nan"))
    with pytest.raises(RefinementError, match=r"not finite at step 0 \(clip street.mp4\)"):
        trainer.run()


def test_clips_that_cannot_be_used_are_left_out(tmp_path, clips, model_folder, capsys):
    (clips / "broken.mp4").write_bytes(b"no video")
    config = _config(tmp_path, model_folder, steps=3)
    trainer = ControlTrainer(clips, tmp_path / "out", config)
    for seed in range(6):
        assert trainer.pairs.draw(torch.Generator().manual_seed(seed)).clip.path.name == "street.mp4"
    assert capsys.readouterr().out.count("left out broken.mp4") == 1
    (clips / "street.mp4").write_bytes(b"no video either")
    with pytest.raises(ClipError, match="none of the clips can be used"):
        ControlTrainer(clips, tmp_path / "other", config).run()
