"""Rays against shapes, compared with the courtyard's solver, and with walking along the rays in small steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from neoverse_ns.clip.synthetic.solids import Solid, fixed, intersect, normals_at
from neoverse_ns.clip.synthetic.textures import Texture
from neoverse_ns.clip.synthetic.worlds.shapes import SHAPES, Shape, meet, normals_on, rays_in

PLAIN = Texture((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1.0)
X, Y = np.linspace(-0.9, 0.9, 41), np.linspace(-0.6, 0.6, 31)


def turned(seed: int) -> np.ndarray:
    """A random rotation."""
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return matrix * np.sign(np.linalg.det(matrix))


def distances(shape: Shape, frame: np.ndarray, eye: tuple[float, float, float], inside: bool = False) -> Tensor:
    found = meet(shape, eye, rays_in(frame, X, Y), inside)
    return torch.where(found > 0, found, torch.inf)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("shape", "other"), [("box", "box"), ("ellipsoid", "sphere")])
def test_boxes_and_balls_are_met_where_the_courtyard_meets_them(shape: Shape, other: str, seed: int) -> None:
    frame = turned(seed)
    eye = frame @ np.array([0.2, -0.1, -4.0])
    found = distances(shape, frame, (eye[0], eye[1], eye[2]))
    rays = torch.stack(torch.meshgrid(torch.from_numpy(X), torch.from_numpy(Y), indexing="xy"), -1).view(-1, 2)
    rays = torch.cat([rays, torch.ones(len(rays), 1)], 1).double() @ torch.from_numpy(frame).T
    solid = Solid(other, (1.0, 1.0, 1.0), PLAIN, fixed((0.0, 0.0, 0.0)))  # pyright: ignore[reportArgumentType]
    expected = intersect(solid, torch.from_numpy(eye), rays).view(31, 41)
    both = torch.isfinite(expected) & torch.isfinite(found)
    assert 0.05 < both.float().mean() < 0.9
    assert (torch.isfinite(expected) == torch.isfinite(found)).float().mean() > 0.998
    assert (found[both].double() / expected[both] - 1).abs().max() < 1e-4
    points = torch.from_numpy(eye) + rays * expected.view(-1, 1)
    points = points[both.flatten()]
    normals = normals_on(torch.full((len(points),), SHAPES.index(shape)), points.T.float(), torch.ones(3, len(points)))
    assert (normals.T - normals_at(solid, points)).abs().max() < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_cylinders_are_met_where_walking_along_the_ray_enters_them(seed: int) -> None:
    frame = turned(seed + 10)
    eye = frame @ np.array([0.1, 0.3, -3.0])
    found = distances("cylinder", frame, (eye[0], eye[1], eye[2]))
    x, y = np.meshgrid(X, Y)
    rays = np.stack([x, y, np.ones_like(x)], -1) @ frame.T
    steps = np.arange(0, 5, 0.002)[:, None]
    checked = 0
    for row in range(0, 31, 3):
        for column in range(0, 41, 3):
            points = eye + steps * rays[row, column]
            within = (np.hypot(points[:, 0], points[:, 2]) <= 1) & (np.abs(points[:, 1]) <= 1)
            if within.sum() > 3:
                first = steps[within.argmax(), 0]
                assert abs(float(found[row, column]) - first) < 0.0025
                checked += 1
            elif not within.any():
                # A ray that grazes may be met within one step.
                assert not torch.isfinite(found[row, column]) or found[row, column] < 5
    assert checked > 20


def test_planes_and_insides() -> None:
    down = distances("plane", np.eye(3), (0.0, -2.0, 0.0))
    ahead = Y > 1e-9
    expected = torch.from_numpy(2 / Y[ahead]).float()[:, None].expand(-1, 41)
    assert torch.allclose(down[torch.from_numpy(ahead)], expected, rtol=1e-5)
    assert bool(torch.isinf(down[torch.from_numpy(Y < -1e-9)]).all())
    walls = distances("box", np.diag([0.5, 0.5, 0.25]), (0.0, 0.0, 0.0), inside=True)
    assert walls[15, 20] == pytest.approx(4.0)
    assert bool(torch.isfinite(walls).all())


def test_normals_of_flat_and_long_shapes() -> None:
    points = torch.tensor([[0.6, 0.0, 0.8], [0.1, 1.0, 0.2], [0.6, 0.0, 0.8]]).T.contiguous()
    half = torch.tensor([[2.0, 1.0, 1.0], [1.0, 3.0, 1.0], [2.0, 1.0, 1.0]]).T.contiguous()
    kinds = torch.tensor([SHAPES.index("ellipsoid"), SHAPES.index("cylinder"), SHAPES.index("cylinder")])
    normals = normals_on(kinds, points, half)
    # The gradient of (x / 2)^2 + z^2 there.
    side = torch.nn.functional.normalize(torch.tensor([0.3, 0.0, 0.8]), dim=0)
    assert torch.allclose(normals, torch.stack([side, torch.tensor([0.0, 1.0, 0.0]), side], 1), atol=1e-6)
