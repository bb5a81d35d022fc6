"""With the truth in the network's place, conventions and windows leave nothing of it lost."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.camera import ate
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.base import Reconstruction, SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow
from neoverse_ns.reconstruct.bundle.lifting.scene_layers import scene_layers
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.depth_anything.motion import training_flow
from neoverse_ns.reconstruct.depth_anything.reconstructor import DepthAnythingReconstructor
from neoverse_ns.reconstruct.split import split_frames
from tests.reconstruct.depth_anything.stand_in import ExactNetwork, Prediction, processed_size

WIDTH, HEIGHT = 128, 80
CONFIG = DepthAnythingConfig(process_resolution=168)


@pytest.fixture(scope="module")
def truth() -> SyntheticClip:
    """The first half of the clip: steps as small as a video's."""
    whole = render_synthetic(17, WIDTH, HEIGHT)
    parts = {name: getattr(whole, name)[:9] for name in whole.__dataclass_fields__}
    return SyntheticClip(**{**parts, "flow": whole.flow[:8]})


@pytest.fixture(scope="module")
def network(truth: SyntheticClip) -> ExactNetwork:
    return ExactNetwork(truth)


@pytest.fixture(scope="module")
def found(truth: SyntheticClip, network: ExactNetwork) -> Reconstruction:
    return DepthAnythingReconstructor(CONFIG, LiftConfig(), network).reconstruct(truth.as_clip(), split_frames(9))


def _true_geometry(truth: SyntheticClip, frames: list[int]) -> SceneGeometry:
    """The truth as a reconstructor would give it."""
    depth = truth.depth[frames]
    unit = float(depth.median())
    c2w = torch.linalg.inv(truth.cameras.c2w[0]) @ truth.cameras.c2w
    c2w[:, :3, 3] /= unit
    cameras = PinholeCameras(c2w.float(), truth.cameras.K.float(), WIDTH, HEIGHT)
    dynamic = truth.dynamic[frames]
    return SceneGeometry(cameras, frames, depth / unit, torch.ones_like(depth), dynamic)


def _psnr(scene: Reconstruction, truth: SyntheticClip, frame: int) -> float:
    camera, clip = scene.cameras[[frame]], truth.as_clip()
    drawing = draw_layers(scene.gaussians, float(clip.times[frame]), camera.viewmats, camera.K, WIDTH, HEIGHT)
    return -10 * float((drawing.rgb[0].clamp(0, 1) - clip.images[frame]).square().mean().log10())


def test_cameras_and_depth_are_the_truth(found: Reconstruction, truth: SyntheticClip) -> None:
    expected = _true_geometry(truth, found.geometry.keyframes)
    assert ate(found.cameras.c2w, expected.cameras.c2w).percent_of_path < 0.01
    torch.testing.assert_close(found.cameras.c2w[0], torch.eye(4))
    # The unit is the median depth, which the resized depth maps know to a fraction of a percent.
    torch.testing.assert_close(found.cameras.c2w, expected.cameras.c2w, atol=5e-3, rtol=0)
    torch.testing.assert_close(found.cameras.K, expected.cameras.K, atol=1e-3, rtol=1e-5)
    assert float(found.geometry.depth.median()) == pytest.approx(1, abs=1e-6)
    assert float((found.geometry.depth / expected.depth).log().abs().median()) < 0.01
    assert float(found.geometry.confidence.max()) <= 1 - 1 / 9 + 1e-6


def test_held_out_frames_are_drawn_as_well_as_from_the_truth(found: Reconstruction, truth: SyntheticClip) -> None:
    split = split_frames(9)
    clip, geometry = truth.as_clip(), _true_geometry(truth, found.geometry.keyframes)
    flow = training_flow(clip, split, CONFIG)
    flows = {
        pair: KeyframeFlow(torch.from_numpy(flow.flow[pair]), torch.from_numpy(flow.confidence[pair]))
        for pair in flow.pairs
    }
    best = Reconstruction(geometry, scene_layers(clip, geometry, flows, LiftConfig(), split.keyframes))
    for frame in split.held_out:
        assert _psnr(found, truth, frame) > _psnr(best, truth, frame) - 0.5
        assert _psnr(found, truth, frame) > 20
        # The figure tells cameras apart: a neighbouring frame's does far worse.
        beside = PinholeCameras(found.cameras.c2w.roll(1, 0), found.cameras.K, WIDTH, HEIGHT)
        wrong = Reconstruction(SceneGeometry(beside, [0], *[found.geometry.depth] * 2, found.geometry.dynamic),
                               found.gaussians)  # fmt: skip
        assert _psnr(wrong, truth, frame) < _psnr(found, truth, frame) - 3


def test_what_moves_is_found(found: Reconstruction, truth: SyntheticClip) -> None:
    mask, expected = found.geometry.dynamic, truth.dynamic[found.geometry.keyframes]
    assert float((mask & expected).sum() / (mask | expected).sum()) > 0.6


def test_the_scene_comes_from_training_frames_alone(found: Reconstruction, network: ExactNetwork) -> None:
    split = split_frames(9)
    assert network.calls[:2] == [split.train, list(range(9))]
    assert network.resolutions[0] == CONFIG.process_resolution
    # Something moves in every frame.
    assert found.geometry.keyframes == split.train
    assert int(found.gaussians.flat().keyframe.max()) == len(split.train) - 1


def test_flow_is_measured_between_training_frames_alone(truth: SyntheticClip) -> None:
    split = split_frames(9)
    pairs = training_flow(truth.as_clip(), split, CONFIG).pairs
    assert not {frame for pair in pairs for frame in pair} & set(split.held_out)
    neighbours = set(zip(split.keyframes[:-1], split.keyframes[1:], strict=True))
    assert neighbours | {(j, i) for i, j in neighbours} <= set(pairs)


def test_the_report_says_what_was_done(found: Reconstruction) -> None:
    report = json.loads(json.dumps(found.report, allow_nan=False))
    assert report["reconstructor"] == "da3"
    assert report["kind"] == "parallax"
    assert report["windows"] == 1
    assert report["focal_px"] == pytest.approx(0.85 * WIDTH, rel=1e-4)
    assert report["num_gaussians"] == found.gaussians.count
    assert report["residual_px"] < 0.5
    height, width = processed_size(found.cameras, CONFIG.process_resolution)
    assert report["network_size"] == [width, height]
    assert {"load", "network", "depth", "flow", "motion", "lift"} <= set(report["seconds"])


def test_windows_of_different_worlds_give_one_path(truth: SyntheticClip) -> None:
    config = DepthAnythingConfig(process_resolution=168, window=4, overlap=2)
    lift = LiftConfig(background=False, far_field=False)
    network = ExactNetwork(truth)
    found = DepthAnythingReconstructor(config, lift, network).reconstruct(truth.as_clip(), split_frames(9))
    assert found.report["windows"] == 3
    assert max(len(call) for call in network.calls) == 4
    expected = _true_geometry(truth, found.geometry.keyframes)
    assert ate(found.cameras.c2w, expected.cameras.c2w).percent_of_path < 0.05
    ratio = (found.geometry.depth / expected.depth).log().flatten(1).median(1).values
    assert float(ratio.max() - ratio.min()) < 2e-3


def test_geometry_that_flow_contradicts_is_pointed_out(
    truth: SyntheticClip, found: Reconstruction, capsys: pytest.CaptureFixture
) -> None:
    """As cameras do that were taken the wrong way round."""

    class Inside(ExactNetwork):
        def inference(self, image: list, **settings: object) -> Prediction:
            said = super().inference(image, **settings)  # type: ignore[arg-type]
            w2c = np.concatenate([said.extrinsics, np.tile([[[0.0, 0, 0, 1]]], (len(image), 1, 1))], 1)
            return dataclasses.replace(said, extrinsics=np.linalg.inv(w2c))

    capsys.readouterr()
    lift = LiftConfig(background=False, far_field=False)
    wrong = DepthAnythingReconstructor(CONFIG, lift, Inside(truth)).reconstruct(truth.as_clip(), split_frames(9))
    assert wrong.report["residual_px"] > 10 * found.report["residual_px"]
    assert "does not fit the cameras and depth" in capsys.readouterr().out


def test_a_single_image_and_no_held_out_frames(truth: SyntheticClip) -> None:
    one = render_synthetic(1, WIDTH, HEIGHT)
    found = DepthAnythingReconstructor(CONFIG, LiftConfig(), ExactNetwork(one)).reconstruct(
        one.as_clip(), split_frames(1)
    )
    assert found.report["kind"] == "single"
    assert _psnr(found, one, 0) > 22
    with pytest.raises(SettingsError, match="made for 9 frames"):
        DepthAnythingReconstructor(CONFIG, LiftConfig(), ExactNetwork(one)).reconstruct(one.as_clip(), split_frames(9))
