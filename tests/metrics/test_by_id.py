"""Image metrics as protocols name them: what each looks at, what it rounds, and what is said without weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.metrics.by_id import IMAGE_METRICS, ImageMetric, image_metric, missing_weights
from neoverse_ns.metrics.image import psnr, ssim
from neoverse_ns.metrics.perceptual import ALEXNET, VGG16
from neoverse_ns.metrics.perceptual_weights import load_perceptual
from neoverse_ns.metrics.pixels import rounded, without_black
from tests.metrics.alexnet import random_alexnet
from tests.metrics.test_perceptual import random_vgg

Metric = Callable[[str], ImageMetric]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    torch.save(random_alexnet(), folder / "alex.pth")
    torch.save(random_vgg(), folder / "vgg.pth")
    return {"alexnet": folder / "alex.pth", "vgg16": folder / "vgg.pth"}


@pytest.fixture(scope="module")
def metric(files: dict[str, Path]) -> Metric:
    def get(metric_id: str) -> ImageMetric:
        found = image_metric(metric_id, **files)
        assert found is not None
        return found

    return get


def pair() -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(5)
    a = functional.interpolate(torch.rand(1, 3, 6, 7, generator=random), (40, 48), mode="bilinear")[0].permute(1, 2, 0)
    return a, (a + 0.1 * torch.randn(a.shape, generator=random)).clamp(0, 1)


def left() -> Tensor:
    mask = torch.zeros(40, 48, dtype=torch.bool)
    mask[:, :20] = True
    return mask


@pytest.mark.parametrize("metric_id", IMAGE_METRICS)
def test_only_masked_metrics_look_at_the_mask(metric: Metric, metric_id: str) -> None:
    found = metric(metric_id)
    a, b = pair()
    assert found.id == metric_id
    assert found.masked == (found.measure(a, b, left()) != found.measure(a, b, None))
    empty = found.measure(a, b, torch.zeros_like(left()))
    assert math.isnan(empty) == found.masked
    better, worse = found.measure(a, a * 0.99, None), found.measure(a, b, None)
    assert found.better == ("more" if better > worse else "less")
    everything = torch.ones_like(left())
    assert found.measure(a, b, everything) == pytest.approx(found.measure(a, b, None), rel=1e-5)


@pytest.mark.parametrize("metric_id", IMAGE_METRICS)
def test_rounding_is_done_by_those_that_say_so(metric: Metric, metric_id: str) -> None:
    found = metric(metric_id)
    a, b = pair()
    assert found.quantised == (found.measure(a, b, None) == found.measure(rounded(a), b, None))


def test_equal_pictures_are_infinitely_alike(metric: Metric) -> None:
    a = rounded(pair()[0])
    assert metric("psnr").measure(a, a, None) == math.inf
    assert metric("mpsnr").measure(a, a, left()) == math.inf
    assert metric("mssim").measure(a, a, left()) == pytest.approx(1)
    assert metric("mlpips").measure(a, a, left()) == pytest.approx(0, abs=1e-6)


def test_values_are_those_of_the_functions(metric: Metric) -> None:
    a, b = pair()
    squared = (rounded(a) - b)[left()].double().square()
    assert metric("mpsnr").measure(a, b, left()) == pytest.approx(-10 * math.log10(squared.sum() / (3 * 40 * 20)))
    assert metric("psnr").measure(a * 3 - 1, b, None) == psnr((a * 3 - 1).clamp(0, 1), b)
    assert metric("ssim-tm").measure(a, b, None) == ssim(a, b)


def test_perceptual_distances_are_those_of_their_layers(metric: Metric, files: dict[str, Path]) -> None:
    a, b = pair()
    first, second = (image.permute(2, 0, 1)[None] for image in (a, b))
    for metric_id, backbone, file in (("lpips-alex", ALEXNET, "alexnet"), ("lpips-vgg", VGG16, "vgg16")):
        network = load_perceptual(backbone, files[file])
        assert network is not None
        plain = sum(float(layer.mean()) for layer in network.layers(first, second))
        assert metric(metric_id).measure(a, b, None) == pytest.approx(plain, rel=1e-5)
    network = load_perceptual(ALEXNET, files["alexnet"])
    assert network is not None
    expected = 0.0
    for layer in network.layers(first, second):
        height, width = layer.shape[1:]
        # The nearest pixel of the mask, by whole numbers, of every place of the layer.
        kept = [(i, j) for i in range(height) for j in range(width) if left()[i * 40 // height, j * 48 // width]]
        expected += sum(float(layer[0, i, j]) for i, j in kept) / len(kept)
    assert metric("lpips-nsff").measure(a, b, left()) == pytest.approx(expected, rel=1e-5)
    # With a mask of everything, DyCheck's is the mean of the spatial map.
    spatial = network.distance_map(rounded(a).permute(2, 0, 1)[None], second).mean()
    assert metric("mlpips").measure(a, b, None) == pytest.approx(float(spatial), rel=1e-5)


def test_a_mask_that_a_layer_cannot_see_adds_nothing(metric: Metric) -> None:
    a, b = pair()
    mask = torch.zeros(40, 48, dtype=torch.bool)
    mask[1, 1] = True
    assert metric("lpips-nsff").measure(a, b, mask) == 0


def test_without_weights_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, Path]
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    for metric_id in IMAGE_METRICS:
        perceptual = "lpips" in metric_id
        assert (image_metric(metric_id) is None) == perceptual
        reason = missing_weights(metric_id)
        assert (reason is not None) == perceptual
        assert missing_weights(metric_id, **files) is None
    # The other backbone is of no help.
    assert image_metric("lpips-vgg", alexnet=files["alexnet"]) is None
    assert "vgg16-397923af.pth" in (missing_weights("lpips-vgg", alexnet=files["alexnet"]) or "")
    with pytest.raises(RunError, match="is not torchvision's VGG16"):
        image_metric("lpips-vgg", vgg16=files["alexnet"])
    with pytest.raises(SettingsError, match="no image metric 'ssim'"):
        image_metric("ssim")


def test_black_pixels_are_dropped_on_both_sides() -> None:
    a, b = pair()
    a[3:7, 5:9] = 0
    shown, truth, seen = without_black(a, b)
    assert int((~seen).sum()) == 16
    assert not truth[3:7, 5:9].any()
    assert torch.equal(shown, a)
    assert torch.equal(truth[seen], b[seen])
