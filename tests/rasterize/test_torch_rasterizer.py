"""The plain-torch rasteriser, which the kernels are compared with, against closed forms and independent code."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from neoverse_ns.rasterize import rasterize
from neoverse_ns.rasterize.projection import project
from neoverse_ns.rasterize.settings import RasterSettings
from tests.rasterize.raster_scenes import LEAVES, brute_force, random_scene

FOCAL, SIZE, DEPTH = 20.0, 15, 2.0
CENTRE = SIZE // 2  # the optical axis meets the centre of this pixel


def on_axis(sigma_pixels: list[float], opacities: list[float], depths: list[float]) -> dict[str, Tensor]:
    """Round Gaussians on the axis of a camera at the origin; the i-th one's colour is the i-th unit vector."""
    count = len(depths)
    depth = torch.tensor(depths, dtype=torch.float64)
    K = torch.tensor([[FOCAL, 0, CENTRE + 0.5], [0, FOCAL, CENTRE + 0.5], [0, 0, 1]], dtype=torch.float64)
    return {
        "means": torch.stack([torch.zeros(count), torch.zeros(count), depth], dim=-1).double(),
        "quats": torch.tensor([[1.0, 0, 0, 0]], dtype=torch.float64).repeat(count, 1),
        "scales": (torch.tensor(sigma_pixels, dtype=torch.float64) * depth / FOCAL)[:, None].repeat(1, 3),
        "opacities": torch.tensor(opacities, dtype=torch.float64),
        "colors": torch.eye(count, 3, dtype=torch.float64),
        "viewmats": torch.eye(4, dtype=torch.float64)[None],
        "Ks": K[None],
    }


def squared_distance() -> Tensor:
    steps = torch.arange(SIZE, dtype=torch.float64) - CENTRE
    return steps[:, None] ** 2 + steps**2


def test_one_gaussian_is_its_closed_form_and_nothing_beyond_the_cutoff() -> None:
    scene = on_axis([1.5], [0.6], [DEPTH])
    image, alpha, _ = rasterize(**scene, width=SIZE, height=SIZE, backend="torch")
    expected = 0.6 * torch.exp(-0.5 * squared_distance() / (1.5**2 + 0.3))
    expected = torch.where(expected >= 1 / 255, expected, 0.0)
    assert (expected == 0).any()
    torch.testing.assert_close(alpha[0, ..., 0], expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(image[0, ..., 0], expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(image[0, ..., 3], DEPTH * (expected > 0).double(), rtol=1e-12, atol=1e-12)


def test_the_nearer_gaussian_covers_the_farther_one() -> None:
    scene = on_axis([2.0, 3.0], [0.7, 0.8], [4.0, 2.0])  # the second one is nearer
    background = torch.tensor([[0.1, 0.2, 0.9]], dtype=torch.float64)
    image, alpha, _ = rasterize(**scene, width=SIZE, height=SIZE, backgrounds=background, backend="torch")
    near = 0.8 * math.exp(-0.5 * 1 / (9 + 0.3))
    far = 0.7 * math.exp(-0.5 * 1 / (4 + 0.3))
    rest = (1 - near) * (1 - far)
    pixel = image[0, CENTRE, CENTRE + 1]
    expected = [(1 - near) * far + rest * 0.1, near + rest * 0.2, rest * 0.9]
    assert pixel[:3].tolist() == pytest.approx(expected, rel=1e-12)
    assert alpha[0, CENTRE, CENTRE + 1, 0].item() == pytest.approx(1 - rest, rel=1e-12)
    assert pixel[3].item() == pytest.approx((near * 2.0 + (1 - near) * far * 4.0) / (1 - rest), rel=1e-12)


def test_alpha_is_capped_and_the_pixel_ends_before_it_saturates() -> None:
    scene = on_axis([3.0, 3.0, 3.0], [1.0, 1.0, 1.0], [1.0, 2.0, 3.0])
    image, alpha, _ = rasterize(**scene, width=SIZE, height=SIZE, backend="torch", render_mode="RGB")
    # The second one would leave 0.001^2, less than 1e-4, so that only the first is drawn.
    assert image[0, CENTRE, CENTRE].tolist() == pytest.approx([0.999, 0, 0], rel=1e-12)
    assert alpha[0, CENTRE, CENTRE, 0].item() == pytest.approx(0.999, rel=1e-12)


def test_antialiasing_dims_by_the_growth_in_area() -> None:
    scene = on_axis([0.4], [0.9], [DEPTH])
    _, alpha, _ = rasterize(**scene, width=SIZE, height=SIZE, backend="torch", rasterize_mode="antialiased")
    assert alpha[0, CENTRE, CENTRE, 0].item() == pytest.approx(0.9 * 0.16 / (0.16 + 0.3), rel=1e-12)


@pytest.mark.parametrize(("width", "height"), [(33, 17), (16, 16), (5, 40)])
def test_pictures_match_a_loop_without_tiles(width: int, height: int) -> None:
    scene = random_scene(150, width, height, dtype=torch.float64, seed=width)
    image, alpha, _ = rasterize(**scene, width=width, height=height, backend="torch", render_mode="RGB+D")
    for camera in range(2):
        expected_image, expected_alpha = brute_force(scene, width, height, camera=camera)
        assert 0.2 < expected_alpha.mean() <= 1
        torch.testing.assert_close(image[camera], torch.from_numpy(expected_image), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(alpha[camera, ..., 0], torch.from_numpy(expected_alpha), rtol=1e-9, atol=1e-9)


def test_long_lists_are_blended_in_several_slabs() -> None:
    scene = random_scene(600, 9, 7, cameras=1, dtype=torch.float64, sigma=(1.0, 2.0))
    scene["opacities"] *= 0.05
    image, alpha, _ = rasterize(**scene, width=9, height=7, backend="torch", render_mode="RGB+D")
    expected_image, expected_alpha = brute_force(scene, 9, 7)
    torch.testing.assert_close(image[0], torch.from_numpy(expected_image), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(alpha[0, ..., 0], torch.from_numpy(expected_alpha), rtol=1e-9, atol=1e-9)


def test_projection_matches_gsplats_torch_code() -> None:
    reference = pytest.importorskip("gsplat.cuda._torch_impl")
    scene = random_scene(300, 64, 48, cameras=1)
    names = ("means", "quats", "scales", "opacities")
    settings = RasterSettings(64, 48, rasterize_mode="antialiased")
    ours = project(*(scene[name] for name in names), scene["viewmats"][0], scene["Ks"][0], settings)
    covariances, _ = reference._quat_scale_to_covar_preci(scene["quats"], scene["scales"], True, False)
    _, means2d, depths, conics, compensations = reference._fully_fused_projection(
        scene["means"], covariances, scene["viewmats"], scene["Ks"], 64, 48, calc_compensations=True
    )
    seen = ours.visible
    assert seen.sum() > 100
    torch.testing.assert_close(ours.means2d[seen], means2d[0, seen], rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(ours.depths[seen], depths[0, seen], rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(ours.conics[seen], conics[0, seen], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(
        ours.strengths[seen], (scene["opacities"] * compensations[0])[seen], rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("rasterize_mode", ["classic", "antialiased"])
def test_gradients_match_finite_differences(rasterize_mode: str) -> None:
    scene = random_scene(12, 9, 7, cameras=1, dtype=torch.float64, sigma=(1.0, 3.0), seed=4)
    background = torch.tensor([[0.3, 0.6, 0.1]], dtype=torch.float64, requires_grad=True)
    leaves = [scene[name].requires_grad_() for name in LEAVES]

    def draw(*values: Tensor) -> tuple[Tensor, Tensor]:
        *gaussians, shade = values
        image, alpha, _ = rasterize(
            *gaussians, scene["Ks"], 9, 7, backgrounds=shade, backend="torch", rasterize_mode=rasterize_mode
        )
        return image, alpha

    assert torch.autograd.gradcheck(draw, (*leaves, background), eps=1e-6, atol=1e-5, rtol=1e-4, fast_mode=True)
