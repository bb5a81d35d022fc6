"""Colours that make up for the blur of drawing."""

from __future__ import annotations

import numpy as np
import torch

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, constant_gaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.rasterize.drawing import draw
from neoverse_ns.reconstruct.bundle.lifting.sharp_colours import sharp_colours

WIDTH, HEIGHT, FOCAL = 12, 8, 10.0


def wall(footprint: float = 0.3, opacity: float = 0.95) -> tuple[DynamicGaussians, PinholeCameras]:
    """One Gaussian for every pixel of a small image, on a wall at depth 1."""
    K = torch.tensor([[[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1.0]]])
    camera = PinholeCameras(torch.eye(4)[None], K, WIDTH, HEIGHT)
    means = unproject(torch.ones(HEIGHT, WIDTH), K[0], torch.eye(4)).reshape(-1, 3)
    count = len(means)
    quats = torch.tensor([1.0, 0, 0, 0]).expand(count, 4).contiguous()
    scales = torch.full((count, 3), footprint / FOCAL).log()
    return constant_gaussians(means, quats, scales, opacity, torch.full((count, 3), 0.5)), camera


def shown(gaussians: DynamicGaussians, camera: PinholeCameras, sh: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    drawing = draw(gaussians.with_(sh=sh), 0.5, camera.viewmats, camera.K, WIDTH, HEIGHT)
    return drawing.rgb[0], drawing.alpha[0]


def weights(gaussians: DynamicGaussians, camera: PinholeCameras) -> np.ndarray:
    """What every Gaussian gives to every pixel [pixels, n], column by column from drawings."""
    count = len(gaussians)
    columns = []
    for i in range(count):
        colours = torch.zeros(count, 1, 3)
        colours[i] = 1.0
        columns.append(shown(gaussians, camera, (colours - 0.5) / SH_C0)[0][..., 0].flatten().numpy())
    return np.stack(columns, 1).astype(np.float64)


def ramp_with_dot() -> torch.Tensor:
    """Mid greys, so that no colour meets its bounds."""
    image = torch.linspace(0.45, 0.55, WIDTH).expand(3, HEIGHT, WIDTH).permute(1, 2, 0).clone()
    image[3, 5] += torch.tensor([0.05, -0.05, 0.02])
    return image


def test_flat_images_need_no_correction() -> None:
    gaussians, camera = wall()
    image = torch.full((HEIGHT, WIDTH, 3), 0.4)
    sh = sharp_colours(gaussians, image, camera, 0.5, 4)
    torch.testing.assert_close(sh, torch.full_like(sh, -0.1 / SH_C0), atol=1e-4, rtol=0)


def test_many_sweeps_reach_the_least_squares_optimum() -> None:
    gaussians, camera = wall()
    image = ramp_with_dot()
    sh = sharp_colours(gaussians, image, camera, 0.5, 60)
    drawn, alpha = shown(gaussians, camera, sh)
    best, *_ = np.linalg.lstsq(weights(gaussians, camera), (alpha * image).reshape(-1, 3).numpy(), rcond=None)
    np.testing.assert_allclose((0.5 + SH_C0 * sh[:, 0]).numpy(), best, atol=2e-3)
    torch.testing.assert_close(drawn, alpha * image, atol=1e-4, rtol=0)


def test_each_sweep_is_a_step_of_the_iteration() -> None:
    gaussians, camera = wall()
    image = ramp_with_dot()
    W = weights(gaussians, camera)
    target = (W.sum(1, keepdims=True)) * image.reshape(-1, 3).numpy()
    colours = image.reshape(-1, 3).numpy().astype(np.float64)
    for _ in range(3):
        colours = colours + target - W @ colours
    sh = sharp_colours(gaussians, image, camera, 0.5, 3)
    np.testing.assert_allclose((0.5 + SH_C0 * sh[:, 0]).numpy(), colours, atol=1e-5)


def test_colours_stay_within_bounds_and_fixed_ones_as_they_are() -> None:
    gaussians, camera = wall(0.4)
    image = torch.randint(0, 2, (HEIGHT, WIDTH, 3), generator=torch.Generator().manual_seed(0)).float()
    fixed = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    fixed[2:5, 2:6] = True
    image[fixed] = 0.3
    colours = (0.5 + SH_C0 * sharp_colours(gaussians, image, camera, 0.5, 4, fixed)).view(HEIGHT, WIDTH, 3)
    torch.testing.assert_close(colours[fixed], image[fixed])
    assert colours.min() > -1e-6
    assert colours.max() < 1 + 1e-6
    torch.testing.assert_close(sharp_colours(gaussians, image, camera, 0.5, 0)[:, 0] * SH_C0 + 0.5, image.view(-1, 3))
