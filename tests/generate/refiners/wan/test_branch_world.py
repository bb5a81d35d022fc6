"""Cameras and noise levels as the control branch is told them, against their definitions in double precision."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.generate.degradation.choices import Choices
from neoverse_ns.generate.degradation.simulate import TrainingPair
from neoverse_ns.generate.refiners.wan import refiner as refiner_module
from neoverse_ns.generate.refiners.wan.branch_world import in_branch_world
from neoverse_ns.generate.refiners.wan.config import WanConfig
from neoverse_ns.generate.refiners.wan.control import ControlInput
from neoverse_ns.generate.refiners.wan.refiner import WanRefiner
from neoverse_ns.generate.refiners.wan.sampler import sample_latents
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.base import network_unit
from neoverse_ns.training.control.objective import make_example
from tests.generate.layered import layered_source
from tests.generate.refiners.wan.chain_twin import rays
from tests.generate.refiners.wan.tiny_wan import build_vae, make_conditions, save_diffusers_layout


def wandering(frames: int) -> Conditions:
    """Cameras that turn and move, each with a lens of its own."""
    steps = torch.arange(frames)[:, None] * torch.tensor([0.02, -0.01, 0.03, 0.05, 0.02, -0.04])
    c2w = se3_exp(steps.double() + 0.1).float()
    conditions = make_conditions(frames)
    K = conditions.K.clone()
    K[:, 0, 0] *= torch.linspace(1, 1.3, frames)
    return replace(conditions, c2w=c2w, K=K, plucker=plucker_maps(c2w, K, 32, 32))


def moved(conditions: Conditions, first: int, unit: float) -> np.ndarray:
    """Cameras from `first` on in its world, in double precision."""
    c2w = conditions.c2w.double().numpy()
    c2w = np.linalg.inv(c2w[first]) @ c2w[first:]
    c2w[:, :3, 3] *= unit
    return c2w


def test_cameras_are_told_in_the_branchs_unit_about_the_first_of_them() -> None:
    conditions = wandering(4)
    there = in_branch_world(conditions, 2.5, conditions.c2w[0])
    expected = moved(conditions, 0, 2.5)
    np.testing.assert_allclose(there.c2w.numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(there.plucker.numpy(), rays(expected, conditions.K.double().numpy(), 32, 32), atol=1e-5)
    torch.testing.assert_close(there.depth, 2.5 * conditions.depth)
    assert in_branch_world(conditions) is conditions
    blank = replace(conditions, plucker=torch.zeros_like(conditions.plucker))
    assert not in_branch_world(blank, 2.5, conditions.c2w[0]).plucker.any()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    return save_diffusers_layout(tmp_path_factory.mktemp("wan") / "model")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[ControlInput]:
    """What the transformer of every window would be given, instead of running it."""
    seen: list[ControlInput] = []

    def remember(transformer, noise, text, negative, control, *_):
        seen.append(control)
        return noise

    monkeypatch.setattr(refiner_module, "sample_latents", remember)
    return seen


def refiner(folder, **settings) -> WanRefiner:
    return WanRefiner(WanConfig(model=str(folder), base=None, device="cpu", steps=1, guidance=1.0, **settings))


def test_later_windows_begin_at_their_own_first_camera(folder, told: list[ControlInput]) -> None:
    conditions = wandering(12)
    refiner(folder, window=9, overlap=3, unit=1.7).refine(conditions)
    K = conditions.K.double().numpy()
    first, second = (control.plucker[0].movedim(1, 0).numpy() for control in told)
    in_clip = conditions.c2w.double().numpy()[:9]
    in_clip[:, :3, 3] *= 1.7
    np.testing.assert_allclose(first, rays(in_clip, K[:9], 32, 32), atol=1e-5)
    np.testing.assert_allclose(second, rays(moved(conditions, 3, 1.7), K[3:], 32, 32), atol=1e-5)


def test_the_unit_is_the_settings_else_the_networks_else_one(folder, told: list[ControlInput]) -> None:
    conditions, source = wandering(5), layered_source()
    for of_settings, of_scene, expected in ((None, None, 1.0), (None, 3.0, 3.0), (2.0, 3.0, 2.0)):
        chosen = refiner(folder, unit=of_settings)
        chosen.adapt(replace(source, unit=of_scene))
        chosen.refine(conditions)
        moments = told.pop().plucker[0, 3:].movedim(1, 0)
        torch.testing.assert_close(moments, expected * conditions.plucker[:, 3:], atol=1e-6, rtol=1e-5)
    with pytest.raises(SettingsError, match="unit"):
        refiner(folder, unit=0.0)


def test_only_the_network_knows_the_unit() -> None:
    assert network_unit({"reconstructor": "network", "unit": 0.4}) == 0.4
    assert network_unit({"reconstructor": "bundle", "unit": 0.4}) is None
    assert network_unit({}) is None


def test_a_stretch_of_a_training_clip_begins_at_its_own_first_camera() -> None:
    conditions = wandering(5)
    pair = TrainingPair(conditions, conditions.rgb, list(range(7, 12)), Choices())
    text = torch.zeros(1, 4, 16)
    example = make_example(build_vae(), pair, text, 1000, torch.Generator(), torch.device("cpu"), unit=0.6)
    expected = rays(moved(conditions, 0, 0.6), conditions.K.double().numpy(), 32, 32)
    np.testing.assert_allclose(example.control.plucker[0].movedim(1, 0).numpy(), expected, atol=1e-5)


def test_timesteps_are_told_as_the_release_rounds_them_and_stepped_as_they_are() -> None:
    noise, velocity = torch.randn(2, 1, 4, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    control = ControlInput(noise, noise, torch.zeros(1, 1, 5, 16, 16), torch.zeros(1, 6, 5, 16, 16))
    told: list[float] = []

    class Answers(SimpleNamespace):
        dtype = torch.float32

        def __call__(self, state, moment, *_):
            told.append(float(moment))
            return velocity

    for rounded, expected in ((True, [1000, 936, 832, 624]), (False, [1000, 937.5, 833.3333, 625])):
        told.clear()
        text = torch.zeros(1, 3, 8)
        state = sample_latents(Answers(), noise, text, None, control, 4, round_timesteps=rounded)  # type: ignore[arg-type]
        assert told == pytest.approx(expected, rel=1e-6)
        torch.testing.assert_close(state, noise - velocity, atol=1e-5, rtol=0)
