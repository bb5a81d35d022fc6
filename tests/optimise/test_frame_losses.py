"""Loss terms inside the model: when each appears, what it moves, and that steps can be repeated exactly."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from neoverse_ns.optimise.exposure import ExposureConfig
from neoverse_ns.optimise.losses import LossConfig, depth_loss
from neoverse_ns.optimise.motion_priors import MotionLossConfig
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.optimizers import rate
from tests.plugin.tiny_scene import HEIGHT, WIDTH, tiny_model, tiny_scene

EVERYTHING = LossConfig(depth=0.1, motion=MotionLossConfig(flow=0.1, smoothness=0.1, reversal=0.1, share=2))


def losses_at(model: NeoVerseModel, index: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Outputs and losses of a training frame."""
    model.train()
    outputs = model.get_outputs(model.train_cameras()[index : index + 1])
    image = torch.rand(HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(index))
    return outputs, model.get_loss_dict(outputs, {"image": image, "image_idx": index})


def test_depth_is_compared_at_keyframes_only() -> None:
    scene = tiny_scene()
    model = tiny_model(losses=LossConfig(depth=0.7))
    for index, frame in enumerate(scene.split.train):
        outputs, losses = losses_at(model, index)
        assert ("depth" in losses) == (frame in scene.split.keyframes)
        if "depth" in losses:
            number = scene.split.keyframes.index(frame)
            estimate, confidence = scene.geometry.depth[number], scene.geometry.confidence[number]
            expected = depth_loss(outputs["depth"][..., 0], outputs["accumulation"][..., 0], estimate, confidence)
            torch.testing.assert_close(losses["depth"], 0.7 * expected)
            assert float(losses["depth"].detach()) > 0


def test_velocities_as_lifted_are_what_flow_said() -> None:
    model = tiny_model(losses=LossConfig(motion=MotionLossConfig(flow=1.0)))
    assert float(losses_at(model, 2)[1]["flow"].detach()) == 0
    with torch.no_grad():
        model.gaussians.frames.velocities += 0.01
    assert float(losses_at(model, 2)[1]["flow"].detach()) > 0


def test_evaluation_has_photometric_terms_alone() -> None:
    model = tiny_model(losses=EVERYTHING)
    model.eval()
    outputs = model.get_outputs(model.train_cameras()[:1])
    losses = model.get_loss_dict(outputs, {"image": torch.zeros(HEIGHT, WIDTH, 3), "image_idx": 0})
    assert set(losses) == {"l1", "dssim", "opacity"}


@pytest.mark.parametrize("interrupted", [False, True])
def test_steps_can_be_repeated_to_the_last_bit(interrupted: bool) -> None:
    def steps(model: NeoVerseModel, optimizers: dict[str, torch.optim.Optimizer], first: int, last: int) -> None:
        for step in range(first, last):
            model.step = step
            for optimizer in optimizers.values():
                optimizer.zero_grad()
            losses = losses_at(model, step % 7)[1]
            torch.stack(list(losses.values())).sum().backward()
            for optimizer in optimizers.values():
                optimizer.step()

    def build() -> tuple[NeoVerseModel, dict[str, torch.optim.Optimizer]]:
        model = tiny_model(losses=EVERYTHING, exposure=ExposureConfig(True))
        groups = model.get_param_groups()
        return model, {name: rate(1e-3)["optimizer"].setup(params=values) for name, values in groups.items()}

    whole, optimizers = build()
    steps(whole, optimizers, 0, 16)
    again, others = build()
    steps(again, others, 0, 9)
    if interrupted:
        state, moments = again.state_dict(), {name: value.state_dict() for name, value in others.items()}
        again, others = build()
        again.load_state_dict(state)
        for name, optimizer in others.items():
            optimizer.load_state_dict(moments[name])
    steps(again, others, 9, 16)
    for name, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    moved = (whole.gaussians.detach().frames.velocities - tiny_model().gaussians.detach().frames.velocities).abs()
    assert float(moved.max()) > 1e-3
