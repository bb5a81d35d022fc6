"""A run with the network in the loop: loaded once, nothing written or kept for a clip; worn frames, clean targets."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.training.control import network_scene
from neoverse_ns.training.control.pairs import Draw, PairStream
from neoverse_ns.training.control.trainer import ControlTrainer
from neoverse_ns.training.data.tally import Tally
from tests.generate.refiners.wan.tiny_wan import save_release_layout
from tests.networks.neoverse.tiny import save_released_layout, tiny_network
from tests.training.control.small_run import HEIGHT, small_config, write_clips

pytestmark = pytest.mark.usefixtures("new_process")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    write_clips(folder / "clips", 6)
    save_release_layout(folder / "model")
    save_released_layout(tiny_network(), folder / "network")
    return folder


@pytest.fixture
def scene(folder: Path) -> SceneConfig:
    network = NetworkConfig(weights=str(folder / "network"))
    clip = ClipConfig(num_frames=7, spacing=1)
    return SceneConfig(clip=clip, held_out_every=0, reconstructor="network", network=network)


def living() -> int:
    """Numbers held by tensors that somebody still knows."""
    gc.collect()
    return sum(found.numel() for found in gc.get_objects() if isinstance(found, torch.Tensor))


def test_the_network_stays_and_clips_leave_nothing(
    folder: Path, scene: SceneConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(tmp_path / "cache"))
    loaded: list[object] = []
    load = network_scene.load_network
    monkeypatch.setattr(network_scene, "load_network", lambda *a: (loaded.append(a), load(*a))[1])
    config = small_config(folder / "model", steps=6, save_every=6, scene=scene)
    trainer = ControlTrainer(folder / "clips", tmp_path / "out", config)
    held: list[int] = []
    take = trainer._take_step

    def step() -> tuple[float, float]:
        found = take()
        held.append(living())
        return found

    monkeypatch.setattr(trainer, "_take_step", step)
    assert all(loss == loss for loss in trainer.run())
    assert len(loaded) == 1
    # Captions, of which there is one, and the scene at hand, whose number of Gaussians is drawn.
    assert max(held[2:]) - min(held[2:]) < 4 * HEIGHT * 1000
    written = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    kinds = {name for name in written if not name.startswith(("events.", "hparams"))}
    assert kinds == {"control.safetensors", "optimizer.bin", "random_states_0.pkl", "run.0.json", "progress.json"} | {
        "figures.jsonl",
        "settings.json",
    }
    # The rasteriser's kernels may be compiled there, by whichever test draws first.
    assert {path.name for path in (tmp_path / "cache").glob("*")} <= {"kernels"}
    assert {path.suffix for path in (folder / "clips").iterdir()} == {".mp4"}


def test_worn_frames_make_the_scene_and_clean_ones_are_learned(
    folder: Path, scene: SceneConfig, tmp_path: Path
) -> None:
    config = small_config(folder / "model", scene=scene)
    trainer = ControlTrainer(folder / "clips", tmp_path / "out", config)

    def first(share: float) -> Draw:
        config.wear = WearConfig(share=share, compression=1.0)
        return next(PairStream(trainer.pairs._source, config, trainer.scenes, Tally()))

    clean, worn, again = first(0.0), first(1.0), first(1.0)
    assert torch.equal(clean.pair.target, worn.pair.target)
    assert float((clean.pair.conditions.rgb - worn.pair.conditions.rgb).abs().mean()) > 1e-3
    assert torch.equal(worn.pair.conditions.rgb, again.pair.conditions.rgb)
