"""Cameras improved by their own pictures, from where they are off by a little that is known."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.evaluation.placing.tto import CALM, FEWEST, improve_camera
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.geometry.se3 import se3_exp, se3_inverse, so3_log
from neoverse_ns.rasterize.layers import draw_layers
from tests.reconstruct.small_scene import small_scene

WIDTH, HEIGHT = 48, 32


@pytest.fixture(scope="module")
def wall() -> tuple[LayeredGaussians, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A smooth picture on a wall with a bulge, a camera before it, and what it shows at a quarter of the time."""
    waves = torch.sin(pixel_centres(HEIGHT, WIDTH) / 4)
    image = (127 + 100 * torch.cat([waves, waves[..., :1] * waves[..., 1:]], dim=-1)).to(torch.uint8)
    scene = small_scene(count=3, width=WIDTH, height=HEIGHT, image=image, step=0.0)
    assert scene.gaussians is not None
    gaussians = scene.gaussians.map(lambda layer: layer.with_(means=layer.means * _bulge(layer.means)))
    c2w, K = torch.eye(4, dtype=torch.float64), scene.geometry.cameras.K[0].double()
    drawing = draw_layers(gaussians, 0.25, c2w.float()[None], K.float()[None], WIDTH, HEIGHT)
    return gaussians, c2w, K, (drawing.rgb[0].clamp(0, 1) * 255).round().to(torch.uint8)


def _bulge(means: torch.Tensor) -> torch.Tensor:
    """Nearer in the middle, so that turning and moving differ."""
    return 1 - 0.3 * torch.exp(-(means[:, :2] / 0.3).square().sum(-1, keepdim=True))


def test_a_camera_that_is_off_by_a_known_twist_finds_back(wall: tuple) -> None:
    gaussians, c2w, K, truth = wall
    before = {name: value.clone() for name, value in gaussians.tensors().items()}
    twist = torch.tensor([0.02, -0.015, 0.02, 0.01, -0.015, 0.02], dtype=torch.float64)
    found = improve_camera(gaussians, 0.25, se3_exp(twist) @ c2w, K, truth, 150)
    off = se3_inverse(c2w) @ found.c2w
    assert float(so3_log(off[:3, :3]).norm()) < 0.15 * float(twist[3:].norm())
    assert float(off[:3, 3].norm()) < 0.25 * float(twist[:3].norm())
    assert found.last < 0.02 * found.first
    for name, value in gaussians.tensors().items():
        assert torch.equal(value, before[name]), name


def test_a_right_camera_stays_and_stops_early(wall: tuple) -> None:
    gaussians, c2w, K, truth = wall
    found = improve_camera(gaussians, 0.25, c2w, K, truth, 1000)
    assert FEWEST <= found.steps < FEWEST + 10 * CALM
    assert float((found.c2w - c2w).abs().max()) < 5e-3
    assert found.last <= found.first


def test_no_steps_change_nothing(wall: tuple) -> None:
    gaussians, c2w, K, truth = wall
    found = improve_camera(gaussians, 0.25, c2w, K, truth, 0)
    assert torch.equal(found.c2w, c2w)
    assert found.steps == 0


def test_a_perceptual_distance_is_heard(wall: tuple) -> None:
    gaussians, c2w, K, truth = wall
    start, heard = se3_exp(torch.full((6,), 0.01).double()) @ c2w, []

    def distance(shown: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        heard.append((shown - other).abs().mean())
        return heard[-1]

    plain = improve_camera(gaussians, 0.25, start, K, truth, 1)
    found = improve_camera(gaussians, 0.25, start, K, truth, 3, None, distance)
    assert len(heard) == found.steps == 3
    assert found.first == pytest.approx(plain.first + float(heard[0].detach()), rel=1e-6)
