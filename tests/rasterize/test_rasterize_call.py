"""What a caller of `rasterize` may rely on: checked arguments, odd inputs, and properties of every picture."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.rasterize import rasterize
from tests.rasterize.raster_scenes import random_scene

BACKENDS = ("cpu", "torch")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"quats": torch.ones(5, 3)}, "quats"),
        ({"scales": torch.ones(4, 3)}, "scales"),
        ({"opacities": torch.ones(5, 1)}, "opacities"),
        ({"opacities": torch.ones(5, dtype=torch.float64)}, "opacities"),
        ({"means": torch.ones(5, 3, dtype=torch.int64)}, "float32"),
        ({"colors": torch.ones(5, 0)}, "channels"),
        ({"colors": torch.ones(5, 3, 3)}, "colors"),
        ({"sh_degree": 1}, "colors"),
        ({"colors": torch.ones(5, 3, 3), "sh_degree": 1}, "4 or more"),
        ({"sh_degree": 4, "colors": torch.ones(5, 25, 3)}, "sh_degree"),
        ({"viewmats": torch.eye(4)}, "viewmats"),
        ({"viewmats": torch.ones(0, 4, 4), "Ks": torch.ones(0, 3, 3)}, "camera"),
        ({"Ks": torch.ones(2, 3, 3)}, "Ks"),
        ({"backgrounds": torch.ones(3)}, "backgrounds"),
        ({"width": 0}, "width"),
        ({"height": 100_000}, "height"),
        ({"near_plane": float("nan")}, "near_plane"),
        ({"eps2d": -0.1}, "eps2d"),
        ({"near_plane": 2.0, "far_plane": 1.0}, "far_plane"),
        ({"far_plane": float("nan")}, "far_plane"),
        ({"render_mode": "RGBD"}, "RGB\\+ED"),
        ({"rasterize_mode": "smooth"}, "antialiased"),
        ({"backend": "vulkan"}, "backend"),
        ({"backend": "gsplat"}, "gsplat"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, Any], named: str) -> None:
    arguments: dict[str, Any] = {**random_scene(5, 8, 8, cameras=1), "width": 8, "height": 8}
    rasterize(**arguments)
    with pytest.raises(SettingsError, match=named):
        rasterize(**{**arguments, **change})


def test_double_precision_on_the_cpu_is_drawn_by_torch_unless_the_kernels_were_asked_for() -> None:
    scene = random_scene(5, 8, 8, dtype=torch.float64)
    assert rasterize(**scene, width=8, height=8)[2]["backend"] == "torch"
    with pytest.raises(SettingsError, match="float32"):
        rasterize(**scene, width=8, height=8, backend="cpu")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_autocast_changes_neither_picture_nor_gradients(backend: str, dtype: torch.dtype) -> None:
    if backend == "cpu" and dtype == torch.float64:
        pytest.skip("the kernels draw float32 alone")
    scene = random_scene(60, 24, 16, dtype=dtype)
    pictures, gradients = [], []
    for enabled in (False, True):
        leaves = {name: value.clone().requires_grad_(name != "Ks") for name, value in scene.items()}
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            image, alpha, _ = rasterize(**leaves, width=24, height=16, backend=backend)
            assert torch.is_autocast_enabled("cpu") == enabled
        assert image.dtype == alpha.dtype == dtype
        pictures.append(image.detach())
        image.square().sum().backward()
        gradients.append({name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None})
    assert torch.equal(*pictures)
    assert gradients[0].keys() == gradients[1].keys() == scene.keys() - {"Ks"}
    for name, gradient in gradients[0].items():
        # Sums of the plain-torch rasteriser's gradients may be taken in any order.
        torch.testing.assert_close(gradients[1][name], gradient, msg=lambda m, name=name: f"{name}: {m}")


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_autocast_left_in_half_precision_is_drawn_in_the_precision_of_the_rest(
    half: torch.dtype, dtype: torch.dtype
) -> None:
    scene = random_scene(60, 24, 16, dtype=dtype)
    background = torch.rand(len(scene["viewmats"]), 3, dtype=dtype)
    for name in ("viewmats", "Ks", "colors", "quats", "backgrounds"):
        given = {**scene, "backgrounds": background}
        given[name] = given[name].to(half)
        image, _, meta = rasterize(**given, width=24, height=16)
        assert image.dtype == dtype
        assert meta["backend"] == ("cpu" if dtype == torch.float32 else "torch")
        expected = rasterize(**{**given, name: given[name].to(dtype)}, width=24, height=16)[0]
        assert torch.equal(image, expected), name
    # Nothing but halves: float32, and gradients in what was given.
    halves = {name: value.to(half).requires_grad_(name == "means") for name, value in scene.items()}
    image = rasterize(**halves, width=24, height=16)[0]
    assert image.dtype == torch.float32
    image.sum().backward()
    assert halves["means"].grad is not None
    assert halves["means"].grad.dtype == half
    assert halves["means"].grad.any()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("emptiness", ["no Gaussians", "all behind"])
def test_nothing_to_see_gives_the_background_and_zero_gradients(emptiness: str, backend: str) -> None:
    scene = random_scene(40, 20, 10)
    if emptiness == "no Gaussians":
        scene = {name: value if name in ("viewmats", "Ks") else value[:0] for name, value in scene.items()}
    else:
        scene["means"][:, 2] = -1
    background = torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    leaves = {name: value.requires_grad_() for name, value in scene.items() if name != "Ks"}
    image, alpha, meta = rasterize(
        **leaves, Ks=scene["Ks"], width=20, height=10, backgrounds=background, backend=backend
    )
    assert torch.equal(image[..., :3], background[:, None, None].expand(2, 10, 20, 3))
    assert not image[..., 3].any()
    assert not alpha.any()
    assert not meta["radii"].any()
    assert meta["radii"].shape == meta["means2d"].shape == (2, len(scene["means"]), 2)
    image.sum().backward()
    for name, leaf in leaves.items():
        assert leaf.grad is not None, name
        assert leaf.grad.shape == leaf.shape
        assert not leaf.grad.any(), name


@pytest.mark.parametrize("backend", BACKENDS)
def test_broken_gaussians_are_left_out_and_the_others_drawn(backend: str) -> None:
    scene = random_scene(60, 24, 16)
    expected = rasterize(**scene, width=24, height=16, backend=backend)[0]
    bad = {name: value[:7].clone() for name, value in scene.items() if name not in ("viewmats", "Ks")}
    nan, infinity = float("nan"), float("inf")
    bad["means"][0, 2], bad["scales"][1, 0], bad["opacities"][2], bad["quats"][3, 1] = nan, nan, nan, nan
    bad["means"][4, 0], bad["means"][5, 2], bad["scales"][6] = nan, infinity, 1e30
    joined = {name: torch.cat([bad[name], value]) if name in bad else value for name, value in scene.items()}
    image, _, meta = rasterize(**joined, width=24, height=16, backend=backend)
    assert not meta["radii"][:, :7].any()
    assert torch.equal(image, expected)


def test_inputs_may_be_strided_views() -> None:
    scene = random_scene(80, 24, 16)
    strided = {name: torch.stack([value, value + 1], dim=-1)[..., 0] for name, value in scene.items()}
    assert not strided["means"].is_contiguous()
    expected, actual = (rasterize(**s, width=24, height=16)[0] for s in (scene, strided))
    assert torch.equal(actual, expected)


def test_cameras_of_one_call_match_calls_with_one_camera() -> None:
    scene = random_scene(100, 24, 16, cameras=3)
    together = rasterize(**scene, width=24, height=16)[0]
    for camera in range(3):
        one = {k: v[camera : camera + 1] if k in ("viewmats", "Ks") else v for k, v in scene.items()}
        assert torch.equal(rasterize(**one, width=24, height=16)[0][0], together[camera])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 120),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    largest=st.floats(0.05, 50.0),
    backend=st.sampled_from(BACKENDS),
)
def test_every_picture_is_a_blend_that_does_not_depend_on_the_order_of_the_input(
    seed: int, count: int, width: int, height: int, largest: float, backend: str
) -> None:
    scene = random_scene(count, width, height, cameras=1, sigma=(0.05, largest), seed=seed)
    background = torch.rand(1, 3, generator=torch.Generator().manual_seed(seed))
    image, alpha, meta = rasterize(**scene, width=width, height=height, backgrounds=background, backend=backend)
    assert alpha.min() >= 0
    assert alpha.max() < 1
    assert_between(image[..., :3], 0.0, 1.0)
    depths = scene["means"] @ scene["viewmats"][0, 2, :3] + scene["viewmats"][0, 2, 3]
    covered = alpha[..., 0] > 0
    if covered.any():
        seen = depths[meta["radii"][0].amax(dim=-1) > 0]
        assert_between(image[..., 3][covered], float(seen.min()), float(seen.max()))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    shuffled = {name: value if name in ("viewmats", "Ks") else value[order] for name, value in scene.items()}
    again = rasterize(**shuffled, width=width, height=height, backgrounds=background, backend=backend)[0]
    torch.testing.assert_close(again, image, rtol=0, atol=0)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), exponent=st.integers(-4, 4))
def test_a_world_twice_as_large_looks_the_same_with_depth_doubled(seed: int, exponent: int) -> None:
    scene = random_scene(80, 30, 20, seed=seed)
    factor = 2.0**exponent
    scaled = {**scene, "means": scene["means"] * factor, "scales": scene["scales"] * factor}
    scaled["viewmats"] = scene["viewmats"].clone()
    scaled["viewmats"][:, :3, 3] *= factor
    image, scaled_image = (
        rasterize(**s, width=30, height=20, near_plane=near)[0] for s, near in ((scene, 0.02), (scaled, 0.02 * factor))
    )
    scaled_image[..., 3] /= factor
    torch.testing.assert_close(scaled_image, image, rtol=1e-5, atol=1e-6)


def assert_between(values: Tensor, low: float, high: float) -> None:
    margin = 1e-4 * (1 + abs(high))
    assert values.min() >= low - margin
    assert values.max() <= high + margin
