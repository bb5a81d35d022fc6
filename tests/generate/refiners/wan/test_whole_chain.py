"""From a scene, a path's name and a seed to what the transformer is given, against a twin in double precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import refine_along
from neoverse_ns.generate.refiners.wan.config import WanConfig
from neoverse_ns.generate.refiners.wan.control import ControlInput
from neoverse_ns.generate.refiners.wan.refiner import WanRefiner
from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.trajectory.choose import TrajectoryOptions, choose_trajectory
from tests.generate.refiners.wan import chain_twin as twin
from tests.generate.refiners.wan.tiny_wan import build_transformer, build_vae, save_diffusers_layout

WIDTH, HEIGHT, COUNT, SEED, UNIT, ZOOM = 32, 16, 13, 7, 0.6, 1.3
"""Size and number of frames; the scene's unit in the network's; focal length at the end over that at the start."""
WINDOWS = (slice(0, 9), slice(4, 13))
TOLERANCE = 1e-4


def clip() -> SourceScene:
    """Five frames of a wandering camera whose lens changes, with a few large Gaussians, half of them in motion."""
    random = torch.Generator().manual_seed(4)
    steps = torch.arange(5)[:, None] * torch.tensor([0.02, -0.01, 0.01, 0.04, 0.01, 0.05])
    K = torch.tensor([[26.0, 0, 16.5], [0, 27.0, 7.5], [0, 0, 1]]).repeat(5, 1, 1)
    K[:, 0, 0] *= torch.linspace(1, 1.1, 5)
    cameras = PinholeCameras(se3_exp(steps.double()).float(), K, WIDTH, HEIGHT)
    count = 18
    means = torch.rand(count, 3, generator=random) * torch.tensor([1.6, 0.8, 2.0]) + torch.tensor([-0.8, -0.4, 1.0])
    at = 0.5 * (torch.arange(count) % 3)
    gaussians = DynamicGaussians(
        means=means,
        quats=torch.nn.functional.normalize(torch.randn(count, 4, generator=random), dim=-1),
        log_scales=(0.05 + 0.3 * torch.rand(count, 3, generator=random)).log(),
        opacity_logits=3 * torch.randn(count, generator=random),
        sh=torch.randn(count, 1, 3, generator=random),
        keyframe=torch.arange(count) % 3,
        interval=torch.stack([at - 0.5, at, at + 0.5], dim=-1),
        velocities=0.2 * torch.randn(count, 2, 3, generator=random),
        angular_velocities=0.5 * torch.randn(count, 2, 3, generator=random),
        life_span_logits=torch.randn(count, generator=random) + 2,
        dynamic=torch.arange(count) % 2 == 0,
    )
    frames = torch.randint(256, (5, HEIGHT, WIDTH, 3), generator=random, dtype=torch.uint8)
    layers = LayeredGaussians({FRAMES: gaussians})
    return SourceScene(frames, cameras, torch.linspace(0, 1, 5), [0, 2, 4], layers, unit=UNIT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_diffusers_layout(tmp_path_factory.mktemp("wan") / "model")


class Entered:
    """What the transformer was called with."""

    def __init__(self) -> None:
        self.states: list[Tensor] = []
        self.moments: list[float] = []
        self.controls: list[ControlInput] = []
        self.hints: list[Tensor] = []

    def take(self, transformer: ControlledWanTransformer, state: Tensor, moment: Tensor, _: Tensor, control, *__):
        """Remember, and predict that nothing moves: latents stay the noise that they are."""
        self.states.append(state[0])
        self.moments.append(float(moment))
        self.controls.append(control)
        self.hints.append(transformer.embed_control(control)[0])
        return torch.zeros_like(state)


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_what_enters_the_transformer_is_the_twins(
    folder: Path, monkeypatch: pytest.MonkeyPatch, threshold: float | None
) -> None:
    entered = Entered()
    monkeypatch.setattr(ControlledWanTransformer, "forward", lambda *given: entered.take(*given))
    source = clip()
    options = TrajectoryOptions(num_frames=COUNT, zoom=ZOOM)
    path = choose_trajectory("orbit_right", source.cameras, source.times, options=options, network_unit=UNIT)
    wan = WanConfig(model=str(folder), base=None, device="cpu", steps=2, guidance=1.0, window=9, overlap=5)
    config = RefinerConfig(refiner="wan", seed=SEED, wan=wan)
    refine_along(WanRefiner(wan), source, source.gaussians, path, config, threshold).whole()

    at = np.linspace(0, 4, COUNT)
    # 1 is the published radius, in the unit of the network.
    c2w = twin.between(source.cameras.c2w.double().numpy(), at) @ twin.orbit_right(COUNT, 1.0 / UNIT)
    lenses = source.cameras.K.double().numpy()
    K = np.stack([[np.interp(at, np.arange(5), lenses[:, i, j]) for j in range(3)] for i in range(3)]).transpose(
        2, 0, 1
    )
    K = np.ascontiguousarray(K)
    K[:, :2, :2] *= np.linspace(1, ZOOM, COUNT)[:, None, None]
    seen = twin.drawn(source.gaussians.frames, c2w, K, np.linspace(0, 1, COUNT), HEIGHT, WIDTH)
    rgb, mask = seen.rgb, seen.alpha > (1.0 if threshold is None else threshold)
    rgb[0], mask[0] = source.frames[0].double().numpy() / 255, True
    assert mask[1:].any() == (threshold is not None)
    assert 0.1 < (seen.alpha > 0.5).mean() < 0.9

    coder, embedding = twin.DoubleCoder(build_vae()), build_transformer().mask_camera_embedding
    random = torch.Generator().manual_seed(SEED)
    assert len(entered.states) == 2 * len(WINDOWS)
    for number, window in enumerate(WINDOWS):
        control, hints = entered.controls[2 * number], entered.hints[2 * number]
        told = c2w[window].copy() if number == 0 else np.linalg.inv(c2w[window.start]) @ c2w[window]
        told[:, :3, 3] *= UNIT
        cameras = twin.rays(told, K[window], HEIGHT, WIDTH).transpose(1, 0, 2, 3)
        pixels = np.concatenate([mask[window][None].astype(float), cameras])
        grey = np.repeat(twin.in_unit_range(seen.depth[window])[..., None], 3, axis=-1)
        wanted = {
            "rgb": coder.encode(2 * rgb[window] - 1),
            "depth": coder.encode(grey),
            "mask": pixels[:1],
            "plucker": cameras,
        }
        for name, value in wanted.items():
            np.testing.assert_allclose(getattr(control, name)[0], value, atol=TOLERANCE, err_msg=f"{name} {number}")
        conv, norm = embedding[0], embedding[1]
        assert isinstance(conv, torch.nn.Conv3d)
        assert isinstance(norm, torch.nn.GroupNorm)
        assert conv.bias is not None
        read = twin.embedded(pixels, conv.weight, conv.bias, norm.weight, norm.bias)
        np.testing.assert_allclose(
            hints.detach(), np.concatenate([wanted["rgb"], wanted["depth"], read]), atol=TOLERANCE
        )
        # Nothing moves, so that the state is the seed's noise in every step, and the frames are what it decodes to.
        noise = torch.randn(1, *control.rgb.shape[1:], generator=random)[0]
        for state in entered.states[2 * number : 2 * number + 2]:
            torch.testing.assert_close(state, noise)
        assert entered.moments[2 * number : 2 * number + 2] == [1000, 832]
        # The next window continues what this one finished, and keeps it.
        kept = slice(window.stop - 5, window.stop)
        rgb[kept], mask[kept] = coder.decode(noise)[-5:], True
