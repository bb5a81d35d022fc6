"""The reconstructor with a network that predicts the truth: every convention on the way to a picture must hold."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.synthetic.render import SyntheticClip, render_synthetic
from neoverse_ns.export.camera_files import transforms_json
from neoverse_ns.metrics.image import psnr
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.base import Reconstruction
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.feedforward.reconstructor import NetworkReconstructor
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.split import FrameSplit, split_frames
from tests.reconstruct.feedforward.stand_in import TrueNetwork

FRAMES = 13
HELD_OUT = [2, 6, 10]
SPLIT = FrameSplit([i for i in range(FRAMES) if i not in HELD_OUT], HELD_OUT, [0, 3, 5, 9, 12])


@cache
def truth(width: int = 126, height: int = 84) -> SyntheticClip:
    return render_synthetic(FRAMES, width, height)


@cache
def network_of(width: int, height: int) -> TrueNetwork:
    return TrueNetwork(truth(width, height))


def reconstruct(
    clip: SyntheticClip, split: FrameSplit = SPLIT, **settings: object
) -> tuple[Reconstruction, TrueNetwork]:
    network = network_of(clip.frames.shape[2], clip.frames.shape[1])
    network.calls.clear()
    config = dataclasses.replace(NetworkConfig(), **settings)  # type: ignore[arg-type]
    return NetworkReconstructor(config, network=network).reconstruct(clip.as_clip(), split), network


def picture(scene: Reconstruction, clip: Clip, frame: int) -> torch.Tensor:
    camera = scene.cameras[[frame]]
    time, size = float(clip.times[frame]), (camera.width, camera.height)
    drawing = draw_layers(scene.gaussians, time, camera.viewmats, camera.K, *size)
    return drawing.rgb[0].clamp(0, 1)


def soft(image: torch.Tensor) -> torch.Tensor:
    """Without detail below two pixels, which Gaussians as wide as a pixel cannot show."""
    kernel = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    channels = image.permute(2, 0, 1)[:, None]
    rows = torch.nn.functional.conv2d(channels, kernel.view(1, 1, 1, 5))
    return torch.nn.functional.conv2d(rows, kernel.view(1, 1, 5, 1))[:, 0].permute(1, 2, 0)


@pytest.mark.parametrize(("width", "height"), [(126, 84), (128, 80)])
def test_held_out_frames_look_as_they_are(width: int, height: int) -> None:
    clip = truth(width, height)
    scene, network = reconstruct(clip)
    images = clip.as_clip().images
    for frame in SPLIT.held_out:
        drawn, true = soft(picture(scene, clip.as_clip(), frame)), soft(images[frame])
        assert psnr(drawn, true) > 26.5
        assert psnr(drawn, true) > 6 + max(psnr(soft(images[frame + step]), true) for step in (-1, 1))
    # One pass over the keyframes, one over everything, the keyframes first.
    context, every = network.calls
    assert (context.frames, context.use_motion) == (SPLIT.keyframes, True)
    assert every.frames == SPLIT.keyframes + [f for f in range(FRAMES) if f not in SPLIT.keyframes]
    assert not every.heads


def test_keyframes_are_not_half_a_pixel_aside() -> None:
    clip = truth(128, 80)
    scene, _ = reconstruct(clip)
    for frame in (0, 3):
        drawn, true = soft(picture(scene, clip.as_clip(), frame)), soft(clip.as_clip().images[frame])
        assert psnr(drawn, true) > 30
        for shift in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            halfway = (drawn + drawn.roll(shift, (0, 1))) / 2
            assert psnr(halfway[1:-1, 1:-1], true[1:-1, 1:-1]) < psnr(drawn, true) - 0.3


@pytest.mark.parametrize("anchored", [True, False])
def test_cameras_depth_and_unit(anchored: bool) -> None:
    clip = truth()
    scene, _ = reconstruct(clip, anchor_cameras=anchored)
    unit = clip.depth[SPLIT.keyframes].median().double()
    expected = torch.linalg.inv(clip.cameras.c2w[0]) @ clip.cameras.c2w
    expected[:, :3, 3] /= unit
    torch.testing.assert_close(scene.cameras.c2w.double(), expected, atol=2e-5, rtol=0)
    torch.testing.assert_close(scene.cameras.K.double(), clip.cameras.K, atol=1e-3, rtol=1e-5)
    depth = clip.depth[SPLIT.keyframes] / unit
    torch.testing.assert_close(scene.geometry.depth, depth.float(), atol=0, rtol=1e-4)
    assert float(scene.geometry.depth.median()) == pytest.approx(1, rel=1e-5)
    assert float(scene.geometry.confidence.median()) == pytest.approx(2 / 3, rel=1e-5)
    assert scene.report["focal_px"] == pytest.approx(float(clip.cameras.K[0, 0, 0]), rel=1e-5)


def test_motion_masks_show_what_moves() -> None:
    clip = truth()
    scene, _ = reconstruct(clip, motion_pixels=1.0)
    moves = clip.dynamic[SPLIT.keyframes]
    found = scene.geometry.dynamic
    assert (found & moves).sum() > 0.8 * moves.sum()
    assert (found & ~moves).sum() < 0.1 * moves.sum()


def test_windows_give_the_same_scene_as_one_pass() -> None:
    clip = truth()
    split = split_frames(FRAMES, None, 4)
    split = FrameSplit(split.train, split.held_out, split.train)
    whole, _ = reconstruct(clip, split)
    parts, network = reconstruct(clip, split, window=6, overlap=3)
    assert max(len(call.frames) for call in network.calls) <= 6
    assert parts.report["windows"] > 2
    # Every call has another unit and begins at another frame.
    torch.testing.assert_close(parts.cameras.c2w, whole.cameras.c2w, atol=1e-4, rtol=0)
    torch.testing.assert_close(parts.geometry.depth, whole.geometry.depth, atol=0, rtol=1e-3)
    for name, values in whole.gaussians.tensors().items():
        torch.testing.assert_close(parts.gaussians.tensors()[name], values, atol=2e-3, rtol=1e-3, msg=name)


def test_static_clips_have_merged_constant_gaussians() -> None:
    clip = truth()
    still = dataclasses.replace(clip, frames=clip.frames[:1].expand(FRAMES, -1, -1, -1).contiguous())
    scene, _ = reconstruct(still, is_static=True, voxel_size=0.05)
    assert not scene.gaussians.flat().dynamic.any()
    assert scene.gaussians.count < 5 * 126 * 84
    assert psnr(picture(scene, still.as_clip(), 6), still.as_clip().images[0]) > 20


def test_one_image() -> None:
    clip = truth()
    image = Clip(clip.frames[:1], torch.arange(1), torch.zeros(1, dtype=torch.float64), Path("image.png"))
    scene = NetworkReconstructor(NetworkConfig(), network=network_of(126, 84)).reconstruct(image, split_frames(1))
    assert not scene.gaussians.flat().dynamic.any()
    assert psnr(soft(picture(scene, image, 0)), soft(image.images[0])) > 30
    assert torch.equal(scene.cameras.c2w, torch.eye(4)[None])


def test_one_keyframe_of_a_clip_takes_its_unit_from_depth() -> None:
    clip = truth()
    scene, network = reconstruct(clip, split_frames(FRAMES, 1, 4))
    assert "depth" in network.calls[1].heads
    expected = torch.linalg.inv(clip.cameras.c2w[0]) @ clip.cameras.c2w
    expected[:, :3, 3] /= clip.depth[0].median()
    torch.testing.assert_close(scene.cameras.c2w.double(), expected, atol=1e-4, rtol=0)
    assert not scene.gaussians.flat().dynamic.any()


def test_known_cameras_reach_the_network_in_its_own_pixels(tmp_path: Path) -> None:
    clip = truth(128, 80)
    path = tmp_path / "transforms.json"
    names = [f"{i}.png" for i in range(FRAMES)]
    path.write_text(json.dumps(transforms_json(clip.cameras, names)), "utf8")
    network = network_of(128, 80)
    network.calls.clear()
    reconstructor = NetworkReconstructor(NetworkConfig(), PriorsConfig(cameras=path), network)
    scene = reconstructor.reconstruct(clip.as_clip(), SPLIT)
    assert scene.report["priors"] == ["poses", "intrinsics"]
    context, every = network.calls
    for call in (context, every):
        assert call.priors is not None
        assert call.priors.pose is not None
        assert call.priors.rays is not None
        assert call.priors.depth is None
        focal = float(clip.cameras.K[0, 0, 0])
        rays = torch.tensor([focal / 128, focal / 80, 0.5, 0.5]).expand(1, len(call.frames), 4)
        torch.testing.assert_close(call.priors.rays, rays)
    # The same camera is told the same in both passes: positions are relative to all frames, not to the keyframes.
    tokens = dict(zip(every.frames, every.priors.pose[0], strict=True))  # type: ignore[union-attr, index]
    for frame, pose in zip(context.frames, context.priors.pose[0], strict=True):  # type: ignore[union-attr, index]
        assert torch.equal(pose, tokens[frame])
