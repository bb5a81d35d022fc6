"""The kernels against gsplat's CUDA kernels; needs a CUDA device and gsplat's compiled kernels."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.rasterize.gsplat_build import missing_gsplat
from tests.rasterize.drawings import assert_same_gradients, assert_same_picture, draw
from tests.rasterize.raster_scenes import random_scene


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("rasterize_mode", ["classic", "antialiased"])
@pytest.mark.parametrize("sh_degree", [None, 2])
def test_cpu_kernels_draw_what_gsplat_draws(sh_degree: int | None, rasterize_mode: str) -> None:
    problem = missing_gsplat()
    if problem is not None:
        pytest.skip(problem.reason)
    width, height = 75, 50
    # Gaussians of some pixels: gsplat 1.4 cuts larger ones off at three standard deviations.
    scene = random_scene(500, width, height, sigma=(0.5, 1.2), seed=11)
    if sh_degree is not None:
        scene["colors"] = 0.4 * torch.randn(500, 9, 3, generator=torch.Generator().manual_seed(3))
    options = {"sh_degree": sh_degree, "rasterize_mode": rasterize_mode}
    background = torch.tensor([[0.1, 0.5, 0.9], [0.7, 0.3, 0.2]])
    ours = draw(scene, width, height, backend="cpu", background=background, **options)
    moved = {name: value.cuda() for name, value in scene.items()}
    theirs = draw(moved, width, height, backend="gsplat", background=background.cuda(), **options)
    assert theirs.meta["backend"] == "gsplat"
    assert_same_picture(ours.image, theirs.image.cpu(), tolerance=1e-4)
    assert_same_picture(ours.alpha, theirs.alpha.cpu(), tolerance=1e-4)
    gradients = {name: value.cpu() for name, value in theirs.gradients.items()}
    assert_same_gradients(ours, replace(theirs, gradients=gradients), tolerance=5e-3)
