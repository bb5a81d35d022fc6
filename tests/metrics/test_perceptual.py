"""LPIPS on VGG16 against torchmetrics' with the same weights, its gradients, and the term made of it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from neoverse_ns.errors import RunError
from neoverse_ns.metrics.perceptual import VGG16, Backbone, Convolution, PerceptualNetwork
from neoverse_ns.metrics.perceptual_weights import load_perceptual
from neoverse_ns.training.reconstructor.losses.config import LossConfig
from neoverse_ns.training.reconstructor.losses.perceptual import load_vgg, perceptual_loss


def random_vgg() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)
    weights = {}
    for layer in VGG16.layers:
        scale = math.sqrt(2 / math.prod(layer.shape[1:]))
        weights[f"features.{layer.position}.weight"] = scale * torch.randn(layer.shape, generator=random)
        weights[f"features.{layer.position}.bias"] = 0.1 * torch.randn(layer.shape[0], generator=random)
    return weights


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "vgg.pth"
    torch.save(random_vgg(), path)
    return path


def pictures(count: int = 2, height: int = 40, width: int = 56, seed: int = 1) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    a = torch.rand(count, 3, height, width, generator=random)
    return a, (a + 0.2 * torch.randn(a.shape, generator=random)).clamp(0, 1)


def test_maps_are_torchmetrics(file: Path) -> None:
    torchmetrics_lpips = pytest.importorskip("torchmetrics.functional.image.lpips")
    pytest.importorskip("torchvision")
    reference = torchmetrics_lpips._LPIPS(pretrained=True, net="vgg", pnet_rand=True, spatial=True).eval()
    weights = torch.load(file, weights_only=True)
    parameters = dict(reference.net.named_parameters())
    assert len(parameters) == 26
    for name, parameter in parameters.items():
        parameter.data.copy_(weights[f"features.{name.split('.', 1)[1]}"])
    network = load_perceptual(VGG16, file)
    assert network is not None
    a, b = pictures()
    with torch.no_grad():
        expected = reference(a, b, normalize=True)[:, 0]
        mine = network.distance_map(a, b)
    assert float(expected.mean()) > 0.01
    torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-5)


def test_the_term_is_blind_outside_its_mask_and_made_again_in_the_backward_pass(file: Path) -> None:
    network = load_vgg(LossConfig(lpips_weights=file))
    assert network is not None
    drawn, truth = pictures(5)
    mask = torch.zeros(5, 40, 56, dtype=torch.bool)
    mask[:, 8:30, 10:50] = True
    results = []
    for junk in (None, float("nan")):
        own, other = drawn.clone(), truth.clone()
        if junk is not None:
            own[~mask[:, None].expand_as(own)] = junk
            other[~mask[:, None].expand_as(own)] = junk
        own.requires_grad_()
        value = perceptual_loss(network, own, other, mask)
        value.backward()
        assert own.grad is not None
        results.append((value.detach(), own.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
    assert results[0][1][:, :, 8:30, 10:50].any()
    whole = network.distance_map(drawn * mask[:, None], truth * mask[:, None])[mask].mean()
    torch.testing.assert_close(results[0][0], whole, rtol=1e-5, atol=1e-7)
    assert perceptual_loss(network, drawn, truth, torch.zeros_like(mask)) == 0
    assert perceptual_loss(network, drawn[..., :15, :], truth[..., :15, :], mask[..., :15, :]) == 0


def test_gradients_are_those_of_finite_differences() -> None:
    """With a backbone of two layers, in float64."""
    backbone = Backbone("two", "", "", (Convolution(0, (4, 3, 3, 3)), Convolution(2, (5, 4, 3, 3), pooled=2)), 2)
    random = torch.Generator().manual_seed(0)
    features = {}
    for layer in backbone.layers:
        features[f"features.{layer.position}.weight"] = torch.randn(layer.shape, generator=random)
        features[f"features.{layer.position}.bias"] = torch.randn(layer.shape[0], generator=random)
    heads = [torch.rand(layer.shape[0], generator=random) for layer in backbone.layers]
    network = PerceptualNetwork(backbone, features, heads, torch.float64)
    a, b = (value.double() for value in pictures(1, 5, 7))
    mask = torch.rand(1, 5, 7, generator=random) < 0.7
    a.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: perceptual_loss(network, x, b, mask), (a,), eps=1e-6, atol=1e-6)


def test_without_weights_the_term_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert load_vgg(LossConfig()) is None
    assert VGG16.hub_file in capsys.readouterr().out.replace("\n", "")
    assert load_vgg(LossConfig(lpips=0.0)) is None
    assert not capsys.readouterr().out
    with pytest.raises(RunError, match="not found"):
        load_vgg(LossConfig(lpips_weights=tmp_path / "absent.pth"))
    wrong = random_vgg()
    wrong["features.7.weight"] = wrong["features.5.weight"]
    torch.save(wrong, tmp_path / "wrong.pth")
    with pytest.raises(RunError, match=r"VGG16: 'features.7.weight' is 128x64x3x3"):
        load_vgg(LossConfig(lpips_weights=tmp_path / "wrong.pth"))
