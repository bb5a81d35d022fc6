"""The real package, where it is installed: its smallest network with random weights, saved and loaded as published."""

from __future__ import annotations

import dataclasses
import inspect
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.depth_anything.predict import predict_views
from neoverse_ns.reconstruct.depth_anything.weights import ViewNetwork, load_network
from tests.reconstruct.depth_anything.stand_in import ExactNetwork, Prediction, processed_size

api = pytest.importorskip("depth_anything_3.api", reason="the depth-anything-3 package is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights, but for a field of view of about one radian, which random ones do not have."""
    torch.manual_seed(0)
    network = api.DepthAnything3(model_name="da3-small")
    lens = network.model.cam_dec.fc_fov[0]
    torch.nn.init.normal_(lens.weight, std=1e-4)
    torch.nn.init.constant_(lens.bias, 1.0)
    place = tmp_path_factory.mktemp("weights")
    network.save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def config(folder: Path) -> DepthAnythingConfig:
    return DepthAnythingConfig(model=str(folder), device="cpu", process_resolution=126)


@pytest.fixture(scope="module")
def network(config: DepthAnythingConfig) -> ViewNetwork:
    return load_network(config)


@pytest.fixture
def frames() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (3, 126, 126, 3), generator=generator, dtype=torch.uint8)


def test_three_frames(network: ViewNetwork, frames: torch.Tensor, config: DepthAnythingConfig) -> None:
    """Cameras and depth are what the network inside says at full precision about the normalised frames."""
    found, windows = predict_views(network, frames, config)
    assert windows == 1
    assert found.depth.shape == found.confidence.shape == (3, 126, 126)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    images = ((frames.float() / 255 - mean) / deviation).permute(0, 3, 1, 2)[None]
    with torch.inference_mode():
        said = network.model(images, None, None, [], False, False, "saddle_balanced")  # type: ignore[attr-defined]
    torch.testing.assert_close(found.depth, said["depth"].reshape(3, 126, 126).clone(), atol=1e-5, rtol=1e-4)
    w2c = torch.eye(4).repeat(3, 1, 1)
    w2c[:, :3] = said["extrinsics"][0, :, :3]
    torch.testing.assert_close(found.c2w @ w2c, torch.eye(4).expand(3, 4, 4), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.K, said["intrinsics"][0].clone(), rtol=1e-4, atol=1e-3)
    assert bool((found.confidence > 0).all())
    assert bool((found.confidence < 1).all())


def test_weights_are_those_of_the_file(network: ViewNetwork, folder: Path) -> None:
    from safetensors.torch import load_file

    kept = load_file(folder / "model.safetensors")
    state = network.state_dict()  # type: ignore[attr-defined]
    assert set(kept) < set(state)
    assert all(torch.equal(kept[name], state[name]) for name in kept)


def test_only_missing_weights_are_complained_about(
    folder: Path, config: DepthAnythingConfig, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The network shares a layer's tensors between places, and files hold them once: nothing is missing then."""
    from safetensors.torch import load_file, save_file

    load_network(config)
    assert "lack" not in capsys.readouterr().out
    kept = load_file(folder / "model.safetensors")
    shutil.copy(folder / "config.json", tmp_path)
    del kept["model.cam_dec.fc_t.bias"]
    save_file(kept, tmp_path / "model.safetensors")
    load_network(dataclasses.replace(config, model=str(tmp_path)))
    assert "lack 1 tensors of the network (model.cam_dec.fc_t.bias" in capsys.readouterr().out.replace("\n", " ")


def test_half_precision_is_close(folder: Path, frames: torch.Tensor, config: DepthAnythingConfig) -> None:
    rough = dataclasses.replace(config, dtype="bfloat16")
    exact, _ = predict_views(load_network(config), frames, config)
    found, _ = predict_views(load_network(rough), frames, rough)
    assert 0 < float((found.depth / exact.depth - 1).abs().max()) < 0.1


def test_cameras_from_ray_maps_repeat_themselves(
    network: ViewNetwork, frames: torch.Tensor, config: DepthAnythingConfig
) -> None:
    by_rays = dataclasses.replace(config, ray_pose=True)
    first, _ = predict_views(network, frames[:2], by_rays)
    again, _ = predict_views(network, frames[:2], by_rays)
    assert torch.equal(first.c2w, again.c2w)
    usual, _ = predict_views(network, frames[:2], config)
    assert not torch.allclose(first.K, usual.K)


def test_the_stand_in_has_the_packages_interface() -> None:
    real = inspect.signature(api.DepthAnything3.inference).parameters
    for name, parameter in inspect.signature(ExactNetwork.inference).parameters.items():
        assert name in real
        assert parameter.default == real[name].default
    fields = {field.name for field in dataclasses.fields(api.Prediction)}
    assert {field.name for field in dataclasses.fields(Prediction)} <= fields


@pytest.mark.parametrize("longest", [168, 504])
def test_the_stand_in_works_at_the_packages_size(longest: int) -> None:
    images, _, _ = api.InputProcessor()([np.zeros((80, 128, 3), np.uint8)], process_res=longest)
    cameras = PinholeCameras(torch.eye(4)[None], torch.eye(3)[None], 128, 80)
    assert processed_size(cameras, longest) == tuple(images.shape[-2:])
