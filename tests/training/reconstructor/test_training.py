"""Training a tiny network: processes that add up, restarts to the bit, bad steps, and what the checkpoints are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.networks.neoverse.checkpoint import load_network
from neoverse_ns.training.reconstructor.initial import InitialConfig, starting_network
from neoverse_ns.training.reconstructor.trainer import ReconstructorTrainer
from neoverse_ns.training.runs.checkpoints import checkpoint_step, finished_checkpoints
from tests.training.reconstructor.run_training import NETWORK, figures, start, tiny_config, train

pytestmark = pytest.mark.usefixtures("new_process")


def weights(output: Path) -> dict[str, torch.Tensor]:
    return torch.load(finished_checkpoints(output)[-1] / "reconstructor.ckpt")


def assert_near(found: dict[str, torch.Tensor], true: dict[str, torch.Tensor], atol: float) -> None:
    assert found.keys() == true.keys()
    for key, value in true.items():
        torch.testing.assert_close(found[key], value, atol=atol, rtol=0, msg=lambda text, key=key: f"{key}: {text}")


def long_gaussians(folder: Path) -> Path:
    """A network from scratch whose Gaussians are longer than wide. The turn of round ones has no gradient but rounding,
    by which AdamW takes whole steps nevertheless."""
    network = starting_network(InitialConfig("scratch"), NETWORK, 0, 42)
    for stack in (network.gs_renderer.gs_head, network.gs_renderer.gs_head_dynamic):
        stack.state_dict()["2.bias"][:7] += torch.tensor([0.0, 0.4, -0.3, 0.2, 0.5, 0.0, -0.5])
    folder.mkdir()
    torch.save(network.state_dict(), folder / "reconstructor.ckpt")
    (folder / "architecture.json").write_text(NETWORK.to_json())
    return folder


def test_two_processes_come_to_the_same_as_one_with_twice_the_batch(tmp_path):
    same = {
        "validation": {"every": 5, "samples": 3, "pictures": False},
        "optimiser": {"rate": 1e-4, "rate_patch_embed": 1e-4, "rate_new": 1e-4},
        "weights": str(long_gaussians(tmp_path / "begun")),
    }
    assert start(tmp_path / "two", 2, steps=5, seed=3, **same) == [0, 0]
    train(tmp_path / "one", steps=5, seed=3, batch={"frames_per_gpu": 4}, **same)
    assert_near(weights(tmp_path / "two"), weights(tmp_path / "one"), 1e-5)
    one, two = figures(tmp_path / "one"), figures(tmp_path / "two")
    assert [row["step"] for row in one] == [row["step"] for row in two] == [0, 1, 2, 3, 4, 5, 5]
    for a, b in zip(one, two, strict=True):
        for name, value in a.items():
            if name not in ("seconds_per_step", "frames_per_second", "waiting", "gradient_norm"):
                assert b[name] == pytest.approx(value, abs=1e-4, rel=1e-4), name


def test_kinds_of_clips_are_mixed_there():
    from neoverse_ns.training.data.loader import training_batches
    from neoverse_ns.training.data.sources_text import sources_of

    config = tiny_config(seed=3, batch={"frames_per_gpu": 4})
    sources = sources_of(config.data, config.batch)
    batches = training_batches(sources, config.batch, config.sample, config.seed)
    kinds = [next(batches).tensors.static.tolist() for _ in range(5)]
    assert [True, False] in [sorted(pair, reverse=True) for pair in kinds]


def test_a_killed_run_goes_on_to_the_bit(tmp_path):
    settings = {"steps": 5, "save_every": 2, "optimiser": {"ema": 0.9, "accumulate": 2}, "batch": {"keyframes": (2, 3)}}
    whole = train(tmp_path / "whole", **settings)
    # Killed while the checkpoint of step 4 is written, which is none then.
    assert start(tmp_path / "parts", workers=2, kill_at=4, **settings) == [-9]
    assert [checkpoint_step(folder) for folder in finished_checkpoints(tmp_path / "parts")] == [2]
    assert list((tmp_path / "parts" / "checkpoints").glob("*.part"))
    again = train(tmp_path / "parts", workers=1, **settings)
    assert [checkpoint_step(folder) for folder in finished_checkpoints(tmp_path / "parts")] == [2, 4, 5]
    for key, value in whole.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[key], value), key
    assert_near(weights(tmp_path / "parts"), weights(tmp_path / "whole"), 0)
    # What is written for use are the averages.
    assert any(
        not torch.equal(value, whole.network.state_dict()[key]) for key, value in weights(tmp_path / "whole").items()
    )
    after = {row["step"]: row["loss"] for row in figures(tmp_path / "parts") if "loss" in row}
    assert after == {row["step"]: row["loss"] for row in figures(tmp_path / "whole") if "loss" in row}


def test_steps_that_are_not_finite_are_left_out_and_end_the_run(tmp_path, capsys):
    trainer = ReconstructorTrainer(tmp_path, tiny_config(steps=30))
    before = {key: value.clone() for key, value in trainer.network.state_dict().items()}
    with torch.no_grad():
        trainer.network.depth_head.norm.weight.fill_(float("nan"))
    with pytest.raises(RunError, match="10 steps in a row were not finite"):
        trainer.run()
    assert trainer.step == 9
    for key, value in trainer.network.state_dict().items():
        assert key == "depth_head.norm.weight" or torch.equal(value, before[key]), key
    assert "step 0 is left out, its loss and gradient not finite (clips worlds" in " ".join(
        capsys.readouterr().out.split()
    )


def test_frozen_parts_stay_and_the_rest_learns(tmp_path):
    trainer = ReconstructorTrainer(tmp_path, tiny_config(steps=1, frozen=("visual_geometry_transformer.frame_blocks",)))
    before = {key: value.clone() for key, value in trainer.network.state_dict().items()}
    trainer.run()
    changed = {key for key, value in trainer.network.state_dict().items() if not torch.equal(value, before[key])}
    still = ("visual_geometry_transformer.frame_blocks", "pts_head")
    priors = tuple(f"visual_geometry_transformer.{name}_embed" for name in ("pose", "ray", "depth"))
    assert not any(key.startswith(still + priors) for key in changed)
    for part in ("visual_geometry_transformer.patch_embed", "visual_geometry_transformer.global_blocks", "cam_head"):
        assert any(key.startswith(part) for key in changed), part
    for part in ("depth_head", "gs_head", "gs_renderer"):
        assert any(key.startswith(part) for key in changed), part


def test_everything_frozen_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="everything is frozen"):
        ReconstructorTrainer(tmp_path, tiny_config(frozen=("",)))
    with pytest.raises(SettingsError, match=r"no parameter's name begins with 'nosuch'; names begin with cam_head,"):
        ReconstructorTrainer(tmp_path, tiny_config(frozen=("depth_head", "nosuch")))


def test_a_run_that_goes_on_says_what_it_does(tmp_path, capsys):
    output = tmp_path / "out"
    validation = {"every": 1, "split": "nosuch"}
    trainer = ReconstructorTrainer(output, tiny_config(validation=validation, batch={"frames_per_gpu": 1}))
    assert not output.exists()
    trainer.save()
    ReconstructorTrainer(output, tiny_config(seed=5, steps=7))
    # All its steps, which are none, are there.
    done = ReconstructorTrainer(output, tiny_config())
    done.step = done.config.steps = 3
    done.run()
    said = " ".join(capsys.readouterr().out.split())
    assert "nothing is validated: no data has clips of the split 'nosuch'" in said
    assert f"going on from step 0 ({output}/checkpoints/step-000000)" in said
    assert "settings were others before: seed 0, now 5; batch.frames_per_gpu 1, now 2" in said
    assert "already has 3 steps: give a larger --steps than 3" in said
    assert "beginning with" not in said
    assert not (output / "figures").exists()
    with pytest.raises(SettingsError, match=r"is of another network \(network.gs_dim 8, now 16\)"):
        ReconstructorTrainer(output, tiny_config(network=replace(NETWORK, gs_dim=16)))


def test_a_damaged_checkpoint_is_to_be_deleted(tmp_path):
    folder = tmp_path / "checkpoints" / "step-000001"
    folder.mkdir(parents=True)
    (folder / "progress.json").write_text('{"step": 1}')
    (folder / "reconstructor.ckpt").write_bytes(b"damaged")
    with pytest.raises(RunError, match=r"format .*: delete .*step-000001, so that the run goes on from the checkpoint"):
        ReconstructorTrainer(tmp_path, tiny_config())


def test_a_checkpoint_is_a_network(tmp_path):
    trainer = train(tmp_path, steps=1, validation={"every": 1, "samples": 1})
    network, known = load_network(finished_checkpoints(tmp_path)[-1] / "reconstructor.ckpt")
    assert known.architecture == trainer.network.architecture
    for key, value in trainer.network.state_dict().items():
        assert torch.equal(network.state_dict()[key], value)
    assert [path.name for path in sorted((tmp_path / "pictures").iterdir())] == [
        "step-000000-worlds.png",
        "step-000001-worlds.png",
    ]
