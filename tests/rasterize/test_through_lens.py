"""Pictures through lenses, against closed forms and against pinhole cameras turned to every pixel."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.lenses import LensRays, around, fisheye, spherical
from neoverse_ns.geometry.projection import pixel_centres, unproject
from neoverse_ns.geometry.se3 import se3_exp, se3_inverse
from neoverse_ns.rasterize import rasterize
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.rasterize.through_lens import draw_through_lens

VIEWMAT = se3_exp(torch.tensor([0.05, -0.1, 0.08, 0.3, -0.5, 0.2]))
CENTRE, RADIUS = torch.tensor([0.2, 0.1, -0.15]), 1.5


def normalised(width: int, height: int, fx: float, fy: float) -> Tensor:
    return (pixel_centres(height, width) - torch.tensor([width / 2, height / 2])) / torch.tensor([fx, fy])


def panorama(width: int, height: int) -> LensRays:
    return spherical(normalised(width, height, width / 2, height))


def world_rays(rays: LensRays) -> tuple[Tensor, Tensor]:
    """Origins and unit directions [h, w, 3] in the world."""
    c2w = se3_inverse(VIEWMAT)
    origins = rays.origins @ c2w[:3, :3].T + c2w[:3, 3]
    return origins.expand_as(rays.directions), torch.nn.functional.normalize(rays.directions, dim=-1) @ c2w[:3, :3].T


def hollow_sphere(origins: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to a sphere seen from inside, and its colour there: a smooth function of the place."""
    offset = origins - CENTRE
    along = (offset * directions).sum(-1)
    distance = -along + (along**2 - offset.square().sum(-1) + RADIUS**2).sqrt()
    place = (offset + distance[..., None] * directions) / RADIUS
    return distance, 0.5 + 0.3 * torch.sin(4 * place) * place.roll(1, dims=-1)


def draw_sphere(viewmats: Float[Tensor, "c 4 4"], Ks: Float[Tensor, "c 3 3"], width: int, height: int) -> Drawing:
    """Pinhole pictures of the hollow sphere, by the ray."""
    c2w = se3_inverse(viewmats)
    rays = unproject(torch.ones(len(Ks), height, width), Ks, c2w) - c2w[:, None, None, :3, 3]
    distance, rgb = hollow_sphere(c2w[:, None, None, :3, 3], rays / rays.norm(dim=-1, keepdim=True))
    depth = distance / rays.norm(dim=-1)
    return Drawing(rgb, depth[..., None], torch.ones_like(depth)[..., None])


@pytest.mark.parametrize("size", [(128, 64), (96, 96), (101, 51)])
def test_panorama_of_a_sphere_is_exact_across_all_faces(size: tuple[int, int]):
    rays = panorama(*size)
    drawing = draw_through_lens(rays, VIEWMAT, draw_sphere)
    distance, rgb = hollow_sphere(*world_rays(rays))
    assert drawing.rgb.shape == (1, size[1], size[0], 3)
    # Only bilinear interpolation lies between them; a seam or a wrong direction would show at once.
    torch.testing.assert_close(drawing.rgb[0], rgb, atol=3e-3, rtol=0)
    torch.testing.assert_close(drawing.depth[0, ..., 0], distance, atol=0, rtol=2e-3)
    assert (drawing.alpha > 0.9999).all()


def test_fisheye_of_a_sphere_is_exact_and_black_around_the_circle():
    rays = fisheye(normalised(121, 121, 18.0, 18.0))
    drawing = draw_through_lens(rays, VIEWMAT, draw_sphere)
    inside = rays.directions.norm(dim=-1) > 0
    assert 0.5 < inside.float().mean() < 0.8
    distance, rgb = hollow_sphere(*world_rays(rays))
    torch.testing.assert_close(drawing.rgb[0][inside], rgb[inside], atol=1e-2, rtol=0)
    torch.testing.assert_close(drawing.depth[0, ..., 0][inside], distance[inside], atol=0, rtol=5e-3)
    assert not drawing.rgb[0][~inside].any()
    assert not drawing.alpha[0][~inside].any()
    assert not drawing.depth[0][~inside].any()


@pytest.mark.parametrize("side", [-1, 1])
def test_stereo_panorama_is_seen_by_each_columns_own_eye(side: int):
    rays = around(normalised(256, 128, 128.0, 128.0), 0.2 * side)
    drawing = draw_through_lens(rays, VIEWMAT, draw_sphere)
    distance, rgb = hollow_sphere(*world_rays(rays))
    centred, other = (around(normalised(256, 128, 128.0, 128.0), offset) for offset in (0.0, -0.2 * side))
    error = (drawing.depth[0, ..., 0] - distance).abs()
    for wrong in (centred, other):
        assert error.mean() < 0.2 * (hollow_sphere(*world_rays(wrong))[0] - distance).abs().mean()
    # What columns share an eye costs at most half a pixel at distance 1, and the sphere is nearly as near.
    torch.testing.assert_close(drawing.rgb[0], rgb, atol=0.04, rtol=0)
    assert (drawing.rgb[0] - rgb).abs().mean() < 4e-3
    # The finer the sharing, the less.
    finer = draw_through_lens(rays, VIEWMAT, draw_sphere, nearest=0.1)
    assert (finer.depth[0, ..., 0] - distance).abs().mean() < 0.3 * error.mean()


def gaussians_all_around(count: int, size: float) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    direction = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=-1)
    distance = 1 + torch.rand(count, 1, generator=generator)
    return {
        "means": direction * distance,
        "quats": torch.randn(count, 4, generator=generator),
        "scales": size * distance * (1 + 2 * torch.rand(count, 3, generator=generator)),
        "opacities": 0.2 + 0.7 * torch.rand(count, generator=generator),
        "colors": torch.rand(count, 3, generator=generator),
    }


def draw_gaussians(
    scene: dict[str, Tensor], viewmats: Float[Tensor, "c 4 4"], Ks: Float[Tensor, "c 3 3"], width: int, height: int
) -> Drawing:
    image, alpha, _ = rasterize(**scene, viewmats=viewmats, Ks=Ks, width=width, height=height)
    return Drawing(image[..., :3], image[..., 3:], alpha)


def test_pixels_show_what_a_camera_turned_to_them_sees_in_its_middle():
    scene = gaussians_all_around(1500, 0.015)
    rays = panorama(256, 128)
    drawing = draw_through_lens(rays, VIEWMAT, partial(draw_gaussians, scene))
    some = torch.randperm(256 * 128, generator=torch.Generator().manual_seed(0))[:600]
    focal = 128 / math.pi
    K = torch.tensor([[focal, 0.0, 4.5], [0.0, focal, 4.5], [0.0, 0.0, 1.0]])
    turned = torch.stack([_looking_along(direction) for direction in rays.directions.reshape(-1, 3)[some]])
    expected = draw_gaussians(scene, turned @ VIEWMAT, K.expand(600, 3, 3), 9, 9)
    rgb, alpha, depth = (value[:, 4, 4] for value in (expected.rgb, expected.alpha, expected.depth))
    assert rgb.std() > 0.1
    assert alpha.min() < 0.1
    # A quarter of a pixel beside would be 31 dB, half a pixel 26 dB.
    assert -10 * torch.log10((drawing.rgb.reshape(-1, 3)[some] - rgb).square().mean()) > 34
    torch.testing.assert_close(drawing.alpha.reshape(-1, 1)[some], alpha, atol=0.2, rtol=0)
    # On the axis z-depth is the distance.
    relative = drawing.depth.reshape(-1, 1)[some][alpha > 0.3] / depth[alpha > 0.3] - 1
    assert relative.abs().median() < 0.01


def _looking_along(direction: Tensor) -> Tensor:
    """World-to-camera of a camera at the origin."""
    right = torch.nn.functional.normalize(torch.linalg.cross(torch.tensor([0.0, 1.0, 0.0]), direction), dim=-1)
    viewmat = torch.eye(4)
    viewmat[:3, :3] = torch.stack([right, torch.linalg.cross(direction, right), direction])
    return viewmat


def test_seams_are_no_rougher_than_the_rest():
    # Smooth Gaussians, so that a step between faces would stand out against their own slopes.
    scene = gaussians_all_around(600, 0.05)
    width, height = 512, 256
    image = draw_through_lens(panorama(width, height), VIEWMAT, partial(draw_gaussians, scene)).rgb[0]
    rows = image[height // 2 - 30 : height // 2 + 30]
    steps = (rows[:, 1:] - rows[:, :-1]).abs().mean(dim=(0, 2))
    for seam in (width // 8, 3 * width // 8, 5 * width // 8, 7 * width // 8):
        around_it = torch.cat([steps[seam - 9 : seam - 2], steps[seam + 1 : seam + 8]])
        assert steps[seam - 1] < 2 * around_it.mean()


def test_empty_surroundings_stay_empty_and_edges_do_not_darken_depth():
    scene = gaussians_all_around(1, 0.05)
    scene["means"] = se3_inverse(VIEWMAT)[:3, 3] + torch.tensor([[0.0, 0.0, 2.0]]) @ VIEWMAT[:3, :3]
    drawing = draw_through_lens(panorama(128, 64), VIEWMAT, partial(draw_gaussians, scene))
    seen = drawing.alpha > 0
    assert 0.001 < seen.float().mean() < 0.2
    assert not drawing.rgb[~seen.expand_as(drawing.rgb)].any()
    # Distance to a flat splat at z-depth 2, however faint it is: never less than that.
    assert drawing.depth[seen].min() > 1.99
    assert drawing.depth[seen].max() < 2.4
