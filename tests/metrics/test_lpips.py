"""LPIPS against torchmetrics' implementation with the same weights, and what happens to wrong files."""

import math
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import RunError
from neoverse_ns.metrics.lpips import LPIPS, SMALLEST_SIDE, load_lpips
from neoverse_ns.metrics.perceptual import ALEXNET
from tests.metrics.alexnet import random_alexnet
from tests.shared import SHARED


@pytest.fixture(scope="module")
def backbone(tmp_path_factory) -> Path:
    """The real AlexNet where it is at hand, else a random one: the arithmetic is the same."""
    real = SHARED / "weights" / "alexnet_features.pt"
    if real.is_file():
        return real
    path = tmp_path_factory.mktemp("weights") / "alexnet.pt"
    torch.save(random_alexnet(), path)
    return path


@pytest.fixture(scope="module")
def lpips(backbone) -> LPIPS:
    loaded = load_lpips(backbone)
    assert loaded is not None
    return loaded


@pytest.fixture(scope="module")
def reference(backbone):
    """torchmetrics' network with its own heads and our backbone."""
    torchmetrics_lpips = pytest.importorskip("torchmetrics.functional.image.lpips")
    pytest.importorskip("torchvision")

    def build(spatial: bool):
        network = torchmetrics_lpips._LPIPS(pretrained=True, net="alex", pnet_rand=True, spatial=spatial)
        weights = torch.load(backbone, weights_only=True)
        parameters = dict(network.net.named_parameters())
        assert len(parameters) == 10
        for name, parameter in parameters.items():
            # Slices keep torchvision's numbering: "slice2.3.weight" is "features.3.weight".
            parameter.data.copy_(weights[f"features.{name.split('.', 1)[1]}"])
        return network.eval()

    return build


def pair() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    a = torch.rand(3, 9, 11)[None]
    a = torch.nn.functional.interpolate(a, (72, 90), mode="bilinear")[0].permute(1, 2, 0)
    return a, (a + 0.15 * torch.randn_like(a)).clamp(0, 1)


def planar(image: torch.Tensor) -> torch.Tensor:
    return image.permute(2, 0, 1)[None]


def test_matches_torchmetrics(lpips, reference):
    a, b = pair()
    with torch.no_grad():
        expected = reference(spatial=False)(planar(a), planar(b), normalize=True).item()
    assert expected > 0.01
    assert lpips(a, b) == pytest.approx(expected, rel=1e-4)


def test_masked_matches_torchmetrics_spatial_maps(lpips, reference):
    a, b = pair()
    mask = torch.zeros(72, 90, dtype=torch.bool)
    mask[10:50, 20:70] = True
    with torch.no_grad():
        spatial = reference(spatial=True)(planar(a * mask[..., None]), planar(b * mask[..., None]), normalize=True)
    assert lpips(a, b, mask) == pytest.approx(spatial[0, 0][mask].mean().item(), rel=1e-4)


def test_properties(lpips):
    a, b = pair()
    assert lpips(a, a) == 0
    assert lpips(a, b) == pytest.approx(lpips(b, a), rel=1e-5)
    assert lpips(a, a + 0.5 * (b - a)) < lpips(a, b)


def test_undefined_cases_are_nan(lpips):
    a, b = pair()
    assert math.isnan(lpips(a, b, torch.zeros(72, 90, dtype=torch.bool)))
    assert math.isnan(lpips(a[: SMALLEST_SIDE - 1], b[: SMALLEST_SIDE - 1]))
    assert math.isfinite(lpips(a[:SMALLEST_SIDE, :SMALLEST_SIDE], b[:SMALLEST_SIDE, :SMALLEST_SIDE]))


def test_wrong_files_are_refused(tmp_path):
    with pytest.raises(RunError, match="not found"):
        load_lpips(tmp_path / "absent.pth")
    garbage, empty = tmp_path / "garbage.pth", tmp_path / "empty.pth"
    garbage.write_bytes(b"this is no checkpoint")
    empty.write_bytes(b"")
    for path in (garbage, empty):
        with pytest.raises(RunError, match="cannot be read"):
            load_lpips(path)
    other = random_alexnet()
    torch.save({name: value for name, value in other.items() if "8" not in name}, tmp_path / "other.pth")
    with pytest.raises(RunError, match=r"features\.8\.weight"):
        load_lpips(tmp_path / "other.pth")
    other["features.3.bias"] = torch.zeros(7)
    torch.save(other, tmp_path / "shape.pth")
    with pytest.raises(RunError, match=r"features\.3\.bias' is 7"):
        load_lpips(tmp_path / "shape.pth")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    with pytest.raises(RunError, match="found Tensor"):
        load_lpips(tmp_path / "tensor.pth")


def test_the_hub_cache_is_used_but_never_filled(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert load_lpips() is None
    assert not list(tmp_path.rglob("*"))
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    torch.save(random_alexnet(), checkpoints / ALEXNET.hub_file)
    assert load_lpips() is not None
    (checkpoints / ALEXNET.hub_file).write_bytes(b"cut")
    assert load_lpips() is None
