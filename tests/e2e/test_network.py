"""The network as the reconstructor of a run, with random weights in the published layout: plumbing, not quality."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from plyfile import PlyData

from tests.e2e.commands import Shell, both, read_video
from tests.e2e.conftest import HEIGHT, WIDTH
from tests.networks.neoverse.tiny import save_released_layout, tiny_network

KEYFRAMES, COUNT = 4, 9


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, clips: tuple[Path, np.ndarray]) -> Shell:
    """A folder with `clip.mp4` and `weights/reconstructor.ckpt`."""
    shell = Shell(tmp_path_factory.mktemp("network"))
    (shell.folder / "clip.mp4").write_bytes((clips[0] / "clip.mp4").read_bytes())
    save_released_layout(tiny_network(), shell.folder / "weights")
    return shell


@pytest.fixture(scope="module")
def folders(shell: Shell) -> dict[str, Path]:
    """Runs of two methods with the network."""
    common = ("--data", "clip.mp4", "--num-frames", str(COUNT), "--held-out-every", "4", "--output-dir", "out")
    common += ("--reconstructor", "network", "--network.weights", "weights", "--num-keyframes", str(KEYFRAMES))
    common += ("--vis", "tensorboard", "--timestamp", "t")
    both(
        lambda: shell.succeed("ns-train", "neoverse-feedforward", *common, "--network.draw", "nearest"),
        lambda: shell.succeed("ns-train", "neoverse", *common, "--max-num-iterations", "4"),
    )
    return {name: shell.folder / "out" / "clip" / name / "t" for name in ("neoverse-feedforward", "neoverse")}


def test_runs_hold_the_scene_and_nothing_of_the_network(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        scene = json.loads((folder / "scene" / "scene.json").read_text("utf8"))
        assert scene["report"]["reconstructor"] == "network"
        assert scene["report"]["weights"]["source"] == str(folder.parents[3] / "weights")
        assert len(scene["keyframes"]) == KEYFRAMES
        path = next((folder / "nerfstudio_models").glob("*.ckpt"))
        state = torch.load(path, map_location="cpu", weights_only=True)["pipeline"]
        frames = "_model.optimisation.layers.frames."
        assert {frames + name for name in ("means", "sh", "keyframe", "interval", "dynamic")} <= state.keys()
        assert not [key for key in state if "trunk" in key or "transformer" in key or "head" in key]
        means = state[f"{frames}means"]
        # What the network saw of 192x112 pixels: 168x98.
        assert means.shape == (KEYFRAMES * 168 * 98, 3)
        assert bool(means.isfinite().all())
    # The option of the network's settings reaches the model's.
    assert "nearest_keyframe_only: true" in (folders["neoverse-feedforward"] / "config.yml").read_text("utf8")
    assert "nearest_keyframe_only: false" in (folders["neoverse"] / "config.yml").read_text("utf8")


def test_everything_that_reads_runs_reads_these(shell: Shell, folders: dict[str, Path]) -> None:
    forward, refined = (folders[name] / "config.yml" for name in ("neoverse-feedforward", "neoverse"))
    both(
        lambda: shell.succeed("ns-eval", "--load-config", forward, "--output-path", "metrics.json"),
        lambda: shell.succeed(
            *("ns-render", "spiral", "--load-config", refined, "--output-path", "spiral.mp4"),
            *("--seconds", "1", "--frame-rate", "4"),
        ),
        lambda: shell.succeed("ns-export", "gaussian-splat", "--load-config", refined, "--output-dir", "splat"),
    )
    results = json.loads((shell.folder / "metrics.json").read_text("utf8"))["results"]
    assert results["num_keyframes"] == KEYFRAMES
    assert 0 < results["psnr"] < 60
    assert {"seconds_weights", "seconds_keyframes", "seconds_cameras"} <= results.keys()
    assert read_video(shell.folder / "spiral.mp4").shape == (4, HEIGHT, WIDTH, 3)
    vertex = PlyData.read(str(shell.folder / "splat" / "splat.ply"))["vertex"]
    assert len(vertex) > 0
    assert np.isfinite(np.stack([vertex[name] for name in "xyz"])).all()
