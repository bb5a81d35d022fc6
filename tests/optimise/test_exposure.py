"""Colour changes between frames: the map itself, whom it touches, and what it is worth."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.optimise.config import RATES
from neoverse_ns.optimise.exposure import Exposure, ExposureConfig
from neoverse_ns.optimise.row_adam import RowAdam
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.world import to_nerfstudio_cameras
from neoverse_ns.reconstruct.scene import Scene
from tests.plugin.tiny_scene import tiny_model, tiny_scene

TRAIN, HELD_OUT = [0, 1, 3, 4], [2]


def exposure(regularise: float = 0.5) -> Exposure:
    module = Exposure(ExposureConfig(True, regularise), TRAIN, HELD_OUT)
    module.adjustment.data = 0.3 * torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(0)) + 0.2
    return module


def test_colours_are_scaled_and_shifted_about_a_neutral_mean() -> None:
    module = exposure()
    centred = module.adjustment.detach() - module.adjustment.detach().mean(0)
    rgb = torch.rand(5, 6, 3, generator=torch.Generator().manual_seed(1))
    for place, frame in enumerate(TRAIN):
        expected = rgb * torch.exp(centred[place, 0]) + centred[place, 1]
        torch.testing.assert_close(module.apply_to(rgb, frame), expected)
    between = 0.5 * (centred[1] + centred[2])
    torch.testing.assert_close(module.apply_to(rgb, 2), rgb * torch.exp(between[0]) + between[1])
    assert float(module.loss().detach()) == pytest.approx(
        0.5 * float((module.adjustment.detach() ** 2).sum()) / 4, rel=1e-5
    )


def test_without_it_nothing_changes_and_nothing_is_learned() -> None:
    module = Exposure(ExposureConfig(False), TRAIN, HELD_OUT)
    rgb = torch.rand(5, 6, 3)
    assert module.apply_to(rgb, 3) is rgb
    assert "exposure" not in tiny_model(exposure=ExposureConfig(False)).get_param_groups()
    with pytest.raises(SettingsError, match="regularise"):
        ExposureConfig(True, -1.0).validate()


def darkening(scene: Scene, model: NeoVerseModel) -> Scene:
    """The scene's own drawings as frames, while the camera's exposure falls and its white balance turns blue."""
    count = len(scene.clip)
    cameras = to_nerfstudio_cameras(scene.geometry.cameras, scene.clip.times, list(range(count)))
    steps = torch.linspace(-1, 1, count)[:, None]
    gains = torch.exp(steps * torch.tensor([-0.35, -0.25, -0.1]))
    images = [model.get_outputs(cameras[i : i + 1])["rgb"].detach() * gains[i] * 0.7 for i in range(count)]
    frames = (torch.stack(images).clamp(0, 1) * 255).round().to(torch.uint8)
    return replace(scene, clip=replace(scene.clip, frames=frames))


def refined(scene: Scene, enabled: bool, steps: int = 250) -> tuple[float, NeoVerseModel]:
    """Refine colours (and exposure) alone; mean PSNR of the held-out frames."""
    model = tiny_model(scene, exposure=ExposureConfig(enabled))
    model.train()
    groups = {name: values for name, values in model.get_param_groups().items() if name in ("sh", "exposure")}
    optimizer = RowAdam([{"params": values, "lr": RATES[name]} for name, values in groups.items()])
    train, held_out = scene.split.train, scene.split.held_out
    cameras = to_nerfstudio_cameras(scene.geometry.cameras, scene.clip.times, list(range(len(scene.clip))))

    def image(frame: int) -> Tensor:
        return scene.clip.frames[frame].float() / 255

    for step in range(steps):
        index = step % len(train)
        optimizer.zero_grad()
        outputs = model.get_outputs(cameras[train[index] : train[index] + 1])
        losses = model.get_loss_dict(outputs, {"image": image(train[index]), "image_idx": index})
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
    model.eval()
    errors = [(model.get_outputs(cameras[i : i + 1])["rgb"] - image(i)).square().mean().detach() for i in held_out]
    return float(-10 * torch.log10(torch.stack(errors)).mean()), model


def test_held_out_frames_of_a_clip_that_darkens_are_drawn_better_with_it() -> None:
    scene = tiny_scene()
    scene = darkening(scene, tiny_model(scene))
    without, _ = refined(scene, enabled=False)
    with_it, model = refined(scene, enabled=True)
    assert with_it > without + 1.5
    # Cameras that belong to no frame see the neutral colours, and so do exports.
    camera = model.train_cameras()[:1]
    own = model.get_outputs(camera)["rgb"]
    camera.metadata = {}
    neutral = model.get_outputs(camera)["rgb"]
    assert float((own - neutral).detach().mean()) > 0.02
    assert torch.equal(neutral, model.draw(camera).rgb[0].clamp(0, 1))


def test_it_is_saved_with_the_scene() -> None:
    first = tiny_model(exposure=ExposureConfig(True))
    first.optimisation.exposure.adjustment.data.uniform_(-0.3, 0.3)
    again = tiny_model(exposure=ExposureConfig(True))
    again.load_state_dict(first.state_dict())
    camera = first.train_cameras()[2:3]
    assert torch.equal(again.get_outputs_for_camera(camera)["rgb"], first.get_outputs_for_camera(camera)["rgb"])
