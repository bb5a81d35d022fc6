"""The reconstructor with a real, tiny, untrained network: what may depend on what, modes, priors, errors."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import ReconstructionError, SettingsError
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.reconstruct.base import Reconstruction
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.feedforward.reconstructor import NetworkReconstructor
from neoverse_ns.reconstruct.feedforward.sizing import network_size
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.split import FrameSplit, split_frames
from tests.networks.neoverse.held_out_reference import predict_held_out
from tests.networks.neoverse.tiny import tiny_network

FRAMES, WIDTH, HEIGHT = 7, 48, 32
SPLIT = FrameSplit(train=[0, 1, 3, 4, 6], held_out=[2, 5], keyframes=[0, 3, 6])


@cache
def network() -> NeoVerseNetwork:
    return tiny_network()


def noise(count: int = FRAMES, seed: int = 0) -> Clip:
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randint(0, 256, (count, HEIGHT, WIDTH, 3), generator=generator, dtype=torch.uint8)
    return Clip(frames, torch.arange(count), torch.arange(count, dtype=torch.float64) / 8, Path("clip.mp4"))


def reconstruct(clip: Clip, split: FrameSplit = SPLIT, **settings: object) -> Reconstruction:
    config = dataclasses.replace(NetworkConfig(), **settings)  # type: ignore[arg-type]
    return NetworkReconstructor(config, network=network()).reconstruct(clip, split)


def test_only_keyframes_decide_gaussians_and_depth() -> None:
    clip = noise()
    scene = reconstruct(clip)
    frames = clip.frames.clone()
    frames[[1, 2, 4, 5]] = 255 - frames[[1, 2, 4, 5]]
    other = reconstruct(dataclasses.replace(clip, frames=frames))
    for name, values in scene.gaussians.tensors().items():
        assert torch.equal(other.gaussians.tensors()[name], values), name
    assert torch.equal(other.geometry.depth, scene.geometry.depth)
    assert torch.equal(other.cameras.c2w[SPLIT.keyframes], scene.cameras.c2w[SPLIT.keyframes])
    assert (other.cameras.c2w[2] - scene.cameras.c2w[2]).abs().max() > 1e-4


def test_the_scene_is_complete_and_in_its_own_world() -> None:
    scene = reconstruct(noise())
    assert torch.equal(scene.cameras.c2w[0], torch.eye(4))
    assert float(scene.geometry.depth.median()) == pytest.approx(1, rel=1e-5)
    assert scene.geometry.depth.shape == (3, HEIGHT, WIDTH)
    assert bool(scene.geometry.depth.isfinite().all())
    assert 0 <= float(scene.geometry.confidence.min()) <= float(scene.geometry.confidence.max()) <= 1
    assert list(scene.gaussians) == ["frames"]
    gaussians = scene.gaussians.frames
    # One per pixel of what the network saw, 42x28, of each keyframe.
    assert torch.bincount(gaussians.keyframe).tolist() == [42 * 28] * 3
    assert all(bool(value.isfinite().all()) for value in gaussians.tensors().values())
    torch.testing.assert_close(gaussians.interval[0], torch.tensor([-0.5, 0.0, 0.5]))
    torch.testing.assert_close(gaussians.interval[-1], torch.tensor([0.5, 1.0, 1.5]))
    assert gaussians.velocities[gaussians.keyframe == 1].abs().amin((0, 2)).min() > 0
    assert not gaussians.velocities[gaussians.keyframe == 0, 1].any()
    assert {"keyframes", "cameras", "gaussians", "weights"} <= scene.report["seconds"].keys()
    assert scene.report["network_size"] == [42, 28]


def test_unanchored_cameras_are_those_of_the_published_protocol() -> None:
    clip = noise()
    scene = reconstruct(clip, anchor_cameras=False)
    size = network_size(WIDTH, HEIGHT, 560)
    with torch.no_grad():
        tokens = predict_held_out(network(), size.images(clip.frames)[None], SPLIT.keyframes, heads=())
    others = [1, 2, 4, 5]
    own, every = tokens.context.c2w[0], tokens.every.c2w[0]
    expected = torch.linalg.inv(own[0]) @ every[others]
    expected[:, :3, 3] /= scene.report["unit"]
    torch.testing.assert_close(scene.cameras.c2w[others], expected, atol=1e-4, rtol=1e-4)
    kept = torch.linalg.inv(own[0]) @ own
    kept[:, :3, 3] /= scene.report["unit"]
    torch.testing.assert_close(scene.cameras.c2w[SPLIT.keyframes], kept, atol=1e-4, rtol=1e-4)
    K = size.intrinsics_to_clip(tokens.every.K[0, others])
    torch.testing.assert_close(scene.cameras.K[others], K, atol=1e-3, rtol=1e-4)


def test_mode_release_lifts_every_training_frame_without_motion() -> None:
    clip = noise()
    reconstructor = NetworkReconstructor(NetworkConfig(mode="release"), network=network())
    wanted = reconstructor.keyframes_wanted(None, FRAMES)
    split = split_frames(FRAMES, wanted, 4)
    assert split.keyframes == split.train
    scene = reconstructor.reconstruct(clip, split)
    assert scene.gaussians.flat().dynamic.all()
    assert not scene.gaussians.flat().velocities.any()
    assert not scene.geometry.dynamic.any()
    paper = NetworkReconstructor(NetworkConfig(), network=network())
    assert (paper.keyframes_wanted(None, 81), paper.keyframes_wanted(5, 81)) == (11, 5)
    assert reconstructor.keyframes_wanted(5, 81) == 5


def test_one_frame_is_constant() -> None:
    scene = reconstruct(noise(1), split_frames(1))
    assert not scene.gaussians.flat().dynamic.any()
    assert len(scene.cameras) == 1


def test_known_depth_and_poses_reach_the_network(tmp_path: Path) -> None:
    import numpy as np

    clip = noise()
    for i in range(FRAMES):
        ramp = np.tile(np.linspace(1, 2 + i, WIDTH, dtype=np.float32), (HEIGHT, 1))
        np.save(tmp_path / f"depth_{i}.npy", ramp)
    plain = reconstruct(clip)
    reconstructor = NetworkReconstructor(NetworkConfig(), PriorsConfig(depth=tmp_path), network())
    tokens = reconstructor.reconstruct(clip, SPLIT)
    assert tokens.report["priors"] == ["depth"]
    assert (tokens.geometry.depth - plain.geometry.depth).abs().max() > 1e-4
    (tmp_path / "depth_3.npy").unlink()
    with pytest.raises(SettingsError, match="no entry numbered 3"):
        reconstructor.reconstruct(clip, SPLIT)


def test_predictions_that_are_not_finite_are_refused() -> None:
    broken = tiny_network()
    broken.state_dict()["gs_renderer.gs_head_dynamic.2.bias"][4] = float("nan")
    with pytest.raises(ReconstructionError, match="gs_params is not finite"):
        NetworkReconstructor(NetworkConfig(), network=broken).reconstruct(noise(), SPLIT)
