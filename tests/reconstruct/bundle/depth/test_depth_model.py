"""Depth networks as a prior: loading from disk, and fitting a prediction to measured depth."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.bundle import solve
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.depth.depth_model import DepthModel, fit_inverse_depth, load_depth_model
from neoverse_ns.reconstruct.bundle.solve import solve_geometry
from neoverse_ns.reconstruct.split import split_frames
from tests.reconstruct.bundle.scenes import path, room_clip


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Depth Anything of random weights, small, in the layout that transformers publishes."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("depth-model")
    torch.manual_seed(0)
    backbone = transformers.Dinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
        head_hidden_size=8,
    )
    transformers.DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    transformers.DPTImageProcessor(size={"height": 28, "width": 28}, do_pad=False).save_pretrained(folder)
    return folder


def test_a_model_on_disk_predicts_at_the_size_of_the_image(model_folder: Path) -> None:
    model = load_depth_model(str(model_folder))
    image = torch.randint(0, 255, (45, 60, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    predicted = model.inverse_depth(image)
    assert not model.metric
    assert predicted.shape == (45, 60)
    assert bool(predicted.isfinite().all())
    assert torch.equal(predicted, model.inverse_depth(image))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(SettingsError, match="nobody/no-such-model"):
        load_depth_model("nobody/no-such-model")
    with pytest.raises(SettingsError, match=r"depth_model.*local cache"):
        load_depth_model(str(tmp_path / "absent"))


def test_a_missing_model_is_named_before_anything_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")

    def measured(*_: object) -> None:
        raise AssertionError("flow was measured first")

    monkeypatch.setattr(solve, "tracked_flow", measured)
    clip, _ = room_clip(path(4), focal=0.8)
    with pytest.raises(SettingsError, match="depth_model"):
        solve_geometry(clip, split_frames(4, held_out_every=0), BundleConfig(depth_model=str(tmp_path / "absent")))


def test_the_fit_finds_scale_and_shift_despite_outliers() -> None:
    generator = torch.Generator().manual_seed(2)
    predicted = torch.rand(40, 50, generator=generator)
    measured = 1.7 * predicted + 0.2
    weights = torch.ones(40, 50)
    measured[:, :8] = 6.0  # A fifth of the picture was measured wrong,
    weights[30:] = 0.0  # and a quarter not at all.
    measured[30:] = 100.0
    fitted = fit_inverse_depth(predicted, measured, weights)
    assert torch.allclose(fitted, 1.7 * predicted + 0.2, rtol=0.02)


def test_a_prediction_that_runs_backwards_is_not_turned_around() -> None:
    predicted = torch.linspace(0.5, 1.5, 400).view(20, 20)
    fitted = fit_inverse_depth(predicted, 2 - predicted, torch.ones(20, 20))
    assert bool((fitted > 0).all())
    assert float(fitted.flatten()[-1]) > float(fitted.flatten()[0])


def test_without_any_measurement_the_prediction_keeps_its_shape() -> None:
    predicted = torch.linspace(0.5, 1.5, 400).view(20, 20)
    fitted = fit_inverse_depth(predicted, torch.ones(20, 20), torch.zeros(20, 20))
    assert torch.allclose(fitted / predicted, (fitted / predicted).mean().expand(20, 20), rtol=1e-4)
    assert float(fitted.median()) == pytest.approx(1.0, rel=0.01)


class _Oracle(DepthModel):
    """Stands in for a network: inverse depth of known images, up to scale and shift."""

    @classmethod
    def of(cls, clip: Clip, depth: torch.Tensor) -> DepthModel:
        return cls("oracle", processor=clip.frames, network=depth, metric=False)

    def inverse_depth(self, image: torch.Tensor) -> torch.Tensor:
        (number,) = [k for k, frame in enumerate(self.processor) if torch.equal(frame, image)]
        return 3 / self.network[number] + 0.4


def test_a_network_decides_for_a_camera_without_parallax(monkeypatch: pytest.MonkeyPatch) -> None:
    still = torch.eye(4, dtype=torch.float64).repeat(6, 1, 1)
    clip, truth = room_clip(still, focal=0.8)
    # Frames that equal each other could not be told apart by the stand-in.
    clip.frames[torch.arange(6), 0, 0] = torch.arange(6, dtype=torch.uint8)[:, None]
    monkeypatch.setattr(solve, "load_depth_model", lambda _: _Oracle.of(clip, truth))
    split = split_frames(6, held_out_every=0)
    with_network = solve_geometry(clip, split, BundleConfig(depth_model="any")).geometry
    without = solve_geometry(clip, split, BundleConfig()).geometry
    assert with_network.report["kind"] == "static"
    true = truth[split.keyframes]
    # The shift of a relative prediction cannot be known here, but the shape of the room is right.
    assert _rank_correlation(with_network.depth, true) > 0.99
    assert _rank_correlation(without.depth, true) < 0.9


def test_a_network_places_what_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, truth = room_clip(path(8), focal=0.8, mover=True)
    near = truth.clone()
    for k in range(8):
        near[k, 40:80, 20 + 6 * k : 58 + 6 * k] = 1.0
    monkeypatch.setattr(solve, "load_depth_model", lambda _: _Oracle.of(clip, near))
    split = split_frames(8, held_out_every=0)
    geometry = solve_geometry(clip, split, BundleConfig(depth_model="any")).geometry
    place = split.keyframes.index(split.keyframes[len(split.keyframes) // 2])
    k = split.keyframes[place]
    assert bool(geometry.dynamic[place, 60, 39 + 6 * k])
    scale = float((truth[k] / geometry.depth[place])[~geometry.dynamic[place]].median())
    assert float(geometry.depth[place, 60, 39 + 6 * k]) * scale == pytest.approx(1.0, rel=0.15)


def _rank_correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    ranks = torch.stack([x.flatten().argsort().argsort().double() for x in (a[:, ::4, ::4], b[:, ::4, ::4])])
    return float(torch.corrcoef(ranks)[0, 1])
