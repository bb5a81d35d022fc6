"""The C++ kernels against the plain-torch rasteriser in float64: pictures and every gradient."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neoverse_ns.rasterize import rasterize
from neoverse_ns.rasterize.cpu import build, library
from neoverse_ns.rasterize.spherical_harmonics import sh_colors
from tests.rasterize.drawings import assert_same_gradients, assert_same_picture, draw, draw_twin
from tests.rasterize.raster_scenes import random_scene


@pytest.mark.parametrize("rasterize_mode", ["classic", "antialiased"])
@pytest.mark.parametrize("render_mode", ["RGB", "D", "ED", "RGB+D", "RGB+ED"])
def test_kernels_match_the_float64_twin(render_mode: str, rasterize_mode: str) -> None:
    width, height = 33, 17
    scene = random_scene(300, width, height, seed=5)
    background = torch.rand(2, 3, generator=torch.Generator().manual_seed(2)) if "RGB" in render_mode else None
    options = {"background": background, "render_mode": render_mode, "rasterize_mode": rasterize_mode}
    ours = draw(scene, width, height, backend="cpu", **options)
    twin = draw_twin(scene, width, height, **options)
    assert_same_picture(ours.image, twin.image)
    assert_same_picture(ours.alpha, twin.alpha)
    assert_same_gradients(ours, twin)
    assert torch.equal(ours.meta["radii"], twin.meta["radii"])
    assert {**ours.meta, "radii": 0, "means2d": 0} == {
        "radii": 0,
        "means2d": 0,
        "width": width,
        "height": height,
        "n_cameras": 2,
        "backend": "cpu",
    }
    seen = ours.meta["radii"][..., 0] > 0
    torch.testing.assert_close(ours.meta["means2d"][seen].double(), twin.meta["means2d"][seen], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("render_mode", ["RGB", "RGB+ED"])
@pytest.mark.parametrize("sh_degree", [0, 1, 2, 3])
def test_spherical_harmonics_reach_means_and_cameras(sh_degree: int, render_mode: str) -> None:
    scene = random_scene(200, 40, 24, seed=6)
    scene["colors"] = 1.2 * torch.randn(200, 16, 3, generator=torch.Generator().manual_seed(3))
    cut = [sh_colors(scene["colors"], scene["means"], view, sh_degree) == 0 for view in scene["viewmats"]]
    assert all(0.03 < float(part.float().mean()) < 0.5 for part in cut)  # some colours are cut at 0
    ours = draw(scene, 40, 24, backend="cpu", sh_degree=sh_degree, render_mode=render_mode)
    twin = draw_twin(scene, 40, 24, sh_degree=sh_degree, render_mode=render_mode)
    assert_same_picture(ours.image, twin.image)
    assert_same_gradients(ours, twin)
    used = (sh_degree + 1) ** 2
    assert not ours.gradients["colors"][:, used:].any()


def test_colour_alone_pulls_means_and_cameras_through_the_direction() -> None:
    # Pictures in which colour changes over directions and nothing else changes: wide Gaussians over all of the view.
    scene = random_scene(20, 16, 16, sigma=(400.0, 500.0), seed=12)
    scene["colors"] = torch.randn(20, 16, 3, generator=torch.Generator().manual_seed(5))
    ours = draw(scene, 16, 16, backend="cpu", sh_degree=3, render_mode="RGB")
    twin = draw_twin(scene, 16, 16, sh_degree=3, render_mode="RGB")
    flat = draw_twin({**scene, "colors": scene["colors"][:, :1]}, 16, 16, sh_degree=0, render_mode="RGB")
    for name in ("means", "viewmats"):
        assert twin.gradients[name].norm() > 3 * flat.gradients[name].norm(), name
    assert_same_gradients(ours, twin)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(40, 150),
    width=st.integers(12, 40),
    height=st.integers(12, 40),
    largest=st.floats(0.6, 12.0),
    cameras=st.integers(1, 3),
    render_mode=st.sampled_from(["RGB", "RGB+D", "RGB+ED"]),
    rasterize_mode=st.sampled_from(["classic", "antialiased"]),
    sh_degree=st.sampled_from([None, 0, 1, 2, 3]),
    with_background=st.booleans(),
)
def test_any_scene_in_any_mode_matches_the_float64_twin(
    seed: int,
    count: int,
    width: int,
    height: int,
    largest: float,
    cameras: int,
    render_mode: str,
    rasterize_mode: str,
    sh_degree: int | None,
    with_background: bool,
) -> None:
    random = torch.Generator().manual_seed(seed)
    scene = random_scene(count, width, height, cameras=cameras, sigma=(0.5, largest), seed=seed)
    if sh_degree is not None:
        scene["colors"] = 0.3 * torch.randn(count, 16, 3, generator=random)
    options = {
        "background": torch.rand(cameras, 3, generator=random) if with_background else None,
        "render_mode": render_mode,
        "rasterize_mode": rasterize_mode,
        "sh_degree": sh_degree,
    }
    ours, twin = draw(scene, width, height, backend="cpu", **options), draw_twin(scene, width, height, **options)
    assert_same_picture(ours.image, twin.image, tolerance=1e-4)
    assert_same_picture(ours.alpha, twin.alpha, tolerance=1e-4)
    # Rounding may take a rim over the threshold of 1/255, and with it its share of the gradients.
    assert_same_gradients(ours, twin, tolerance=1e-2)


@pytest.mark.parametrize("channels", [1, 2, 4, 7, 8, 9, 19])
def test_any_number_of_channels(channels: int) -> None:
    scene = random_scene(150, 24, 24, cameras=1, channels=channels, seed=channels)
    background = torch.rand(1, channels, generator=torch.Generator().manual_seed(4))
    ours = draw(scene, 24, 24, backend="cpu", background=background)
    twin = draw_twin(scene, 24, 24, background=background)
    assert ours.image.shape == (1, 24, 24, channels + 1)
    assert_same_picture(ours.image, twin.image)
    assert_same_gradients(ours, twin)


@pytest.mark.parametrize(
    ("count", "sigma", "opacity", "tolerance"),
    [
        (4000, (0.3, 1.5), 1.0, 5e-4),
        (60, (20.0, 60.0), 1.0, 5e-4),
        # Many wide rims close to 1/255: a few pixels fall on the other side of the threshold.
        (3000, (1.0, 3.0), 0.03, 1e-2),
    ],
)
def test_dense_large_and_faint_gaussians(
    count: int, sigma: tuple[float, float], opacity: float, tolerance: float
) -> None:
    width, height = 70, 45
    scene = random_scene(count, width, height, cameras=1, sigma=sigma, seed=count)
    scene["opacities"] *= opacity
    ours = draw(scene, width, height, backend="cpu")
    twin = draw_twin(scene, width, height)
    assert_same_picture(ours.image, twin.image, tolerance=1e-4)
    assert_same_picture(ours.alpha, twin.alpha, tolerance=1e-4)
    assert_same_gradients(ours, twin, tolerance)


def test_thin_gaussians_at_every_angle_keep_their_whole_support() -> None:
    count, side = 64, 48
    scene = random_scene(count, side, side, cameras=1, seed=8)
    angle = torch.arange(count) * torch.pi / count
    scene["quats"] = torch.stack([torch.cos(angle / 2), 0 * angle, 0 * angle, torch.sin(angle / 2)], dim=-1)
    scene["scales"] = scene["scales"].new_tensor([0.6, 0.01, 0.01]).repeat(count, 1)
    ours, twin = draw(scene, side, side, backend="cpu"), draw_twin(scene, side, side)
    assert_same_picture(ours.image, twin.image)
    assert_same_gradients(ours, twin)


def test_planes_and_radius_clip_leave_the_same_gaussians_out() -> None:
    scene = random_scene(200, 30, 20, seed=9)
    limits = {"near_plane": 2.0, "far_plane": 3.5, "radius_clip": 5.0, "eps2d": 0.1}
    _, _, ours = rasterize(**scene, width=30, height=20, backend="cpu", **limits)
    _, _, free = rasterize(**scene, width=30, height=20, backend="cpu")
    _, _, twin = rasterize(**{k: v.double() for k, v in scene.items()}, width=30, height=20, backend="torch", **limits)
    assert torch.equal(ours["radii"], twin["radii"])
    depths = scene["means"] @ scene["viewmats"][0, 2, :3] + scene["viewmats"][0, 2, 3]
    kept = ours["radii"][0, :, 0] > 0
    assert 0 < kept.sum() < (free["radii"][0, :, 0] > 0).sum()
    assert depths[kept].min() >= 2.0
    assert depths[kept].max() <= 3.5
    assert ours["radii"][0, kept].amax(dim=-1).min() > 5


@pytest.mark.parametrize("flags", [("-march=native", "-pthread", "-DNEOVERSE_STD_THREADS"), ()])
def test_builds_without_openmp_draw_the_same(
    flags: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = random_scene(200, 40, 33, seed=7)
    expected = draw(scene, 40, 33, backend="cpu")
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(build, "FLAG_SETS", (flags,))
    monkeypatch.setattr(library, "_loaded", [library.Kernels(str(build.kernel_library()))])
    actual = draw(scene, 40, 33, backend="cpu")
    assert_same_picture(actual.image, expected.image)
    assert_same_gradients(actual, expected)
