"""The network in the loop: two passes, cameras of one in the unit of the other, no head that nobody reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.synthetic.render import render_synthetic
from neoverse_ns.errors import ReconstructionError, SettingsError
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.degradation.choices import Choices
from neoverse_ns.generate.degradation.geometry import context_cameras, degrade
from neoverse_ns.generate.degradation.settings import published
from neoverse_ns.metrics.image import psnr
from neoverse_ns.networks.neoverse.dense_head import DenseHead
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.networks.neoverse.splats import keyframe_splats
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.training.control.network_scene import NetworkScenes
from neoverse_ns.training.control.scenes import OwnScenes, scene_maker
from tests.networks.neoverse.tiny import save_released_layout, tiny_network
from tests.reconstruct.feedforward.stand_in import TrueNetwork
from tests.reconstruct.feedforward.test_truth import soft
from tests.training.control.small_run import small_config

FRAMES, CONTEXT = 9, [0, 2, 4, 6, 8]


def test_frames_are_drawn_where_they_were_filmed() -> None:
    truth = render_synthetic(FRAMES, 112, 84)
    network, clip = TrueNetwork(truth), truth.as_clip()
    scene = NetworkScenes(SceneConfig(), torch.device("cpu"), network).scene(clip, len(CONTEXT))
    context, every = network.calls
    assert (context.frames, context.use_motion, set(context.heads)) == (CONTEXT, True, {"motion", "gaussians"})
    assert (every.frames, every.use_motion, set(every.heads)) == (list(range(FRAMES)), False, set())
    assert (scene.keyframes, scene.unit) == (CONTEXT, 1.0)
    # The stand-in's unit differs from call to call: cameras of all frames come in that of the context.
    torch.testing.assert_close(scene.cameras[CONTEXT].c2w, context_cameras(scene).c2w, atol=1e-4, rtol=1e-4)
    drawn = draw_conditions(scene.gaussians, scene.cameras, scene.times, ConditionSettings())
    for frame in range(FRAMES):
        true = soft(clip.images[frame])
        others = [psnr(soft(clip.images[other]), true) for other in (frame - 1, frame + 1) if 0 <= other < FRAMES]
        assert psnr(soft(drawn.rgb[frame]), true) > max(25, 4 + max(others))
    # Distances of the degradation are the network's own.
    moved = degrade(scene, Choices(distance=0.1), published()).moved
    steps = (moved.c2w - context_cameras(scene).c2w)[:, :3, 3]
    torch.testing.assert_close(steps.norm(dim=-1), torch.full((5,), 0.1), atol=1e-5, rtol=1e-4)
    assert float(steps[:, 1].abs().max()) < 1e-6


@pytest.fixture
def network() -> NeoVerseNetwork:
    return tiny_network()


def test_no_dense_head_runs_for_cameras_alone(network: NeoVerseNetwork, small_clip) -> None:
    ran: Counter[str] = Counter()
    for name, module in network.named_children():
        if isinstance(module, DenseHead):
            features = module.features
            module.features = lambda *a, inner=features, name=name: (ran.update([name]), inner(*a))[1]  # type: ignore
    network.cam_head.register_forward_hook(lambda *_: ran.update(["cam_head"]))
    scenes = NetworkScenes(SceneConfig(), torch.device("cpu"), network)
    scene = scenes.scene(small_clip, 3)
    velocities = {f"velocity_{side}_head" for side in ("fwd", "bwd")}
    assert ran == Counter(
        {"cam_head": 2} | dict.fromkeys(velocities | {"gs_head", "gs_fwd_attr_head", "gs_bwd_attr_head"}, 1)
    )
    # Exactly what the network says, with nothing between it and the scene.
    images = small_clip.frames[[0, 3, 6]].permute(0, 3, 1, 2)[None].float() / 255
    with torch.no_grad():
        context, every = network(images), network(small_clip.images.permute(0, 3, 1, 2)[None], use_motion=False)
    (splats,) = keyframe_splats(context, images, small_clip.times[[0, 3, 6]][None])
    torch.testing.assert_close(scene.gaussians.frames.means, torch.cat([part.means for part in splats]))
    alone, among = (c2w[0, :, :3, 3].norm(dim=-1).mean() for c2w in (context.c2w, every.c2w[:, [0, 3, 6]]))
    torch.testing.assert_close(scene.cameras.c2w[:, :3, 3], every.c2w[0, :, :3, 3] * alone / (among + 1e-6))
    torch.testing.assert_close(scene.cameras.c2w[:, :3, :3], every.c2w[0, :, :3, :3])


def test_a_single_context_frame_is_brought_to_unit_by_its_depth(network: NeoVerseNetwork, small_clip) -> None:
    scene = NetworkScenes(SceneConfig(), torch.device("cpu"), network).scene(small_clip, 1)
    assert scene.keyframes == [0]
    assert bool(torch.isfinite(scene.cameras.c2w).all())
    assert float(scene.cameras.c2w[1:, :3, 3].norm(dim=-1).min()) > 0


@pytest.fixture
def small_clip() -> Clip:
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (7, 28, 56, 3), generator=generator, dtype=torch.uint8)
    return Clip(frames, torch.arange(7), torch.arange(7, dtype=torch.float64) / 8, Path("noise.mp4"))


def test_what_cannot_be_is_told(network: NeoVerseNetwork, small_clip, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="belong to one clip"):
        NetworkScenes(SceneConfig(priors=PriorsConfig(depth=tmp_path)), torch.device("cpu"), network)
    network.cam_head.param_predictor.fc2.bias.data.fill_(float("nan"))
    with pytest.raises(ReconstructionError, match="not finite"):
        NetworkScenes(SceneConfig(), torch.device("cpu"), network).scene(small_clip, 3)


def test_the_reconstructor_decides_who_makes_scenes(network: NeoVerseNetwork, tmp_path: Path) -> None:
    weights = str(save_released_layout(network, tmp_path))
    chosen = small_config(tmp_path).scene
    chosen.clip = ClipConfig(num_frames=7)
    assert isinstance(scene_maker(chosen, torch.device("cpu")), OwnScenes)
    chosen.reconstructor, chosen.network = "network", NetworkConfig(weights=weights)
    assert isinstance(scene_maker(chosen, torch.device("cpu")), NetworkScenes)
