"""Which reconstructor runs where, what is said about it, and what keys the cache."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import SettingsError, WeightsError
from neoverse_ns.reconstruct.bundle.cameras.known_focal import with_known_focal
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.reconstructor import BundleReconstructor
from neoverse_ns.reconstruct.cache import scene_key
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.feedforward.availability import fingerprint
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.feedforward.reconstructor import NetworkReconstructor
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.priors.load import ClipPriors
from neoverse_ns.reconstruct.registry import choose_reconstructor, get_reconstructor, settled
from tests.reconstruct.small_scene import small_scene


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights" / "reconstructor.ckpt"
    path.parent.mkdir()
    path.write_bytes(bytes(range(256)) * 4096)
    return path


def scene_config(weights: Path | str, **changes: object) -> SceneConfig:
    return SceneConfig(network=NetworkConfig(weights=str(weights)), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cuda", "there", "download", "name", "reason"),
    [
        (True, True, False, "network", "are here"),
        (False, True, False, "bundle", "no CUDA device"),
        (True, False, False, "bundle", "not on this machine"),
        (True, False, True, "network", "may be downloaded"),
    ],
)
def test_auto_takes_the_network_where_it_can_run_and_says_why(
    cuda: bool,
    there: bool,
    download: bool,
    name: str,
    reason: str,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: cuda)
    monkeypatch.setenv("HF_HUB_CACHE", str(weights.parent))
    config = scene_config(weights if there else "nobody/nothing")
    config.network.download = download
    chosen = settled(config)
    assert chosen.reconstructor == name
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 1
    assert f"reconstructor: {name}" in lines[0]
    assert reason in lines[0]
    assert settled(chosen) is chosen
    assert capsys.readouterr().out == ""
    expected = NetworkReconstructor if name == "network" else BundleReconstructor
    assert isinstance(get_reconstructor(config), expected)


def test_names_are_taken_at_their_word(weights: Path) -> None:
    for name in ("bundle", "network"):
        assert choose_reconstructor(scene_config(weights, reconstructor=name)).name == name
    other = scene_config(weights)
    other.reconstructor = "none"  # type: ignore[assignment]
    with pytest.raises(SettingsError, match="auto, bundle"):
        choose_reconstructor(other)


def test_the_weights_key_the_cache_of_the_network_alone(tmp_path: Path, weights: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"some video")
    network = scene_config(weights, reconstructor="network")
    bundle = scene_config(weights, reconstructor="bundle")
    before, without = scene_key(clip, network, "cpu"), scene_key(clip, bundle, "cpu")
    assert before != without
    # A copy in the hub's folder or under another spelling is the same; how it runs does not matter, what it does, does.
    same = dataclasses.replace(
        network.network, weights=str(weights.parent), low_vram=True, head_chunk=2, draw="nearest"
    )
    assert scene_key(clip, dataclasses.replace(network, network=same), "cpu") == before
    for change in ({"mode": "release"}, {"num_keyframes": 5}, {"voxel_size": 0.01}, {"anchor_cameras": False}):
        other = dataclasses.replace(network.network, **change)  # type: ignore[arg-type]
        assert scene_key(clip, dataclasses.replace(network, network=other), "cpu") != before
        assert scene_key(clip, dataclasses.replace(bundle, network=other), "cpu") == without
    content = bytearray(weights.read_bytes())
    content[1000] ^= 1
    weights.write_bytes(content)
    assert scene_key(clip, network, "cpu") != before
    assert scene_key(clip, bundle, "cpu") == without
    gone = scene_config(tmp_path / "gone.ckpt", reconstructor="network")
    with pytest.raises(WeightsError, match=r"gone\.ckpt"):
        scene_key(clip, gone, "cpu")


def test_priors_key_the_cache_by_their_content(tmp_path: Path) -> None:
    clip, cameras = tmp_path / "clip.mp4", tmp_path / "transforms.json"
    clip.write_bytes(b"some video")
    cameras.write_text(json.dumps({"frames": []}))
    config = SceneConfig(reconstructor="bundle", priors=PriorsConfig(cameras=cameras))
    before = scene_key(clip, config, "cpu")
    assert before != scene_key(clip, SceneConfig(reconstructor="bundle"), "cpu")
    cameras.write_text(json.dumps({"frames": [1]}))
    assert scene_key(clip, config, "cpu") != before
    cameras.unlink()
    with pytest.raises(SettingsError, match=r"transforms\.json"):
        scene_key(clip, config, "cpu")


def test_fingerprints(tmp_path: Path, weights: Path) -> None:
    before = fingerprint(weights)
    assert fingerprint(weights) == before
    os.utime(weights, ns=(0, 1))
    assert fingerprint(weights) != before
    # The hub's cache: a link to a file that is called by its content.
    blob = tmp_path / "blobs" / ("ab" * 32)
    blob.parent.mkdir()
    blob.write_bytes(b"x")
    link = tmp_path / "snapshot.ckpt"
    link.symlink_to(blob)
    assert fingerprint(link) == "ab" * 32


@pytest.mark.parametrize(
    "change",
    [
        {"weights": " "},
        {"sha256": "12"},
        {"window": 3},
        {"overlap": 1},
        {"window": 8, "overlap": 5},
        {"voxel_size": 0.0},
        {"dynamic_threshold": float("nan")},
        {"longest_side": 14},
        {"num_keyframes": 0},
    ],
)
def test_settings_out_of_range_are_named(change: dict[str, object]) -> None:
    config = SceneConfig(network=dataclasses.replace(NetworkConfig(), **change))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=f"network.{list(change)[-1]}"):
        config.validate()


def test_the_bundle_uses_known_focal_lengths_and_says_what_it_does_not_use(capsys: pytest.CaptureFixture[str]) -> None:
    clip = small_scene(with_gaussians=False).clip
    K = torch.tensor([[32.0, 0, 16], [0, 32, 8], [0, 0, 1]]).repeat(len(clip), 1, 1)
    config = with_known_focal(BundleConfig(), ClipPriors(K=K, depth=torch.ones(len(clip), 16, 32)), clip)
    assert config.known_focal == pytest.approx(1.0)
    assert "does not use known depth" in capsys.readouterr().out
    given = BundleConfig(fov_degrees=70.0)
    assert with_known_focal(given, ClipPriors(K=K), clip) is given
    assert with_known_focal(given, ClipPriors(), clip) is given
