"""A trainer that asks for mixed precision gets the same pictures and losses, in full precision."""

from __future__ import annotations

import torch

from neoverse_ns.optimise.exposure import ExposureConfig
from neoverse_ns.optimise.losses import LossConfig
from tests.plugin.tiny_scene import HEIGHT, WIDTH, tiny_model


def test_mixed_precision_of_the_trainer_changes_neither_pictures_nor_losses() -> None:
    model = tiny_model(exposure=ExposureConfig(enabled=True), losses=LossConfig(dssim=0.2))
    model.train()
    generator = torch.Generator().manual_seed(0)
    for parameter in (model.camera_optimizer.pose_adjustment, model.optimisation.exposure.adjustment):
        parameter.data.copy_(0.05 * torch.randn(parameter.shape, generator=generator))
    camera = model.train_cameras()[3:4]
    batch = {"image": torch.rand(HEIGHT, WIDTH, 3, generator=generator), "image_idx": 3}
    outputs, losses = [], []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            outputs.append(model.get_outputs(camera))
            losses.append(model.get_loss_dict(outputs[-1], batch))
    for with_it, without in ((outputs[1], outputs[0]), (losses[1], losses[0])):
        assert with_it.keys() == without.keys()
        for name, value in with_it.items():
            assert value.dtype == torch.float32
            assert torch.equal(value, without[name]), name
