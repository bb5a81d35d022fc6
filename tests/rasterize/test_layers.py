"""Layers one behind the other: the composition, what hides what, and what a drawing costs."""

from __future__ import annotations

import time

import pytest
import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate, constant_gaussians
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, INPAINTED, LayeredGaussians
from neoverse_ns.rasterize import layers as layers_module
from neoverse_ns.rasterize.drawing import Drawing, depth_or_far, draw
from neoverse_ns.rasterize.layers import OPEN, draw_layers, is_open, over
from tests.gaussians.scenes import random_gaussians

WIDTH, HEIGHT = 48, 32
VIEW = torch.eye(4)[None]
K = torch.tensor([[[40.0, 0, WIDTH / 2], [0, 40, HEIGHT / 2], [0, 0, 1]]])
EYE = (VIEW, K, WIDTH, HEIGHT)


def flat(rgb: float, depth: float, alpha: float) -> Drawing:
    return Drawing(torch.full((1, 2, 2, 3), rgb), torch.full((1, 2, 2, 1), depth), torch.full((1, 2, 2, 1), alpha))


def sheet(depth: float, colour: tuple[float, float, float], opacity: float, left: float = -9.0) -> DynamicGaussians:
    """Constant Gaussians on a plane before the camera; they begin `left` of its axis."""
    x, y = torch.meshgrid(torch.arange(-1.5, 1.55, 0.05), torch.arange(-1.0, 1.05, 0.05), indexing="xy")
    means = torch.stack([x, y, torch.ones_like(x)], dim=-1).reshape(-1, 3) * depth
    means = means[means[:, 0] > left * depth]
    count = len(means)
    return constant_gaussians(
        means,
        torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(count, 1),
        torch.full((count, 3), 0.05 * depth).log(),
        opacity,
        torch.tensor(colour).repeat(count, 1),
    )


def test_hidden_where_the_front_is_opaque() -> None:
    front, back = flat(0.3, 1.0, 1.0), flat(0.9, 5.0, 1.0)
    for name in ("rgb", "depth", "alpha"):
        torch.testing.assert_close(getattr(over(front, back), name), getattr(front, name))
    half = over(flat(0.2, 1.0, 0.5), flat(0.8, 3.0, 0.5))
    torch.testing.assert_close(half.rgb, torch.full((1, 2, 2, 3), 0.2 + 0.5 * 0.8))
    torch.testing.assert_close(half.alpha, torch.full((1, 2, 2, 1), 0.75))
    torch.testing.assert_close(half.depth, torch.full((1, 2, 2, 1), (0.5 * 1 + 0.25 * 3) / 0.75))
    nothing = over(flat(0.0, 0.0, 0.0), flat(0.0, 0.0, 0.0))
    assert torch.isfinite(nothing.depth).all()


def test_composition_does_not_depend_on_what_is_joined_first() -> None:
    a, b, c = flat(0.2, 1.0, 0.4), flat(0.3, 2.0, 0.5), flat(0.4, 4.0, 0.7)
    for name in ("rgb", "depth", "alpha"):
        torch.testing.assert_close(getattr(over(over(a, b), c), name), getattr(over(a, over(b, c)), name))
    weights = torch.tensor([0.4, 0.6 * 0.5, 0.6 * 0.5 * 0.7])
    joined = over(over(a, b), c)
    assert float(joined.alpha[0, 0, 0]) == pytest.approx(float(weights.sum()))
    expected = float((weights * torch.tensor([1.0, 2.0, 4.0])).sum() / weights.sum())
    assert float(joined.depth[0, 0, 0]) == pytest.approx(expected)


@pytest.mark.parametrize(("alpha", "depth"), [(0.6, 1.0), (0.4, (0.4 * 1 + 0.6 * 9) / 1.0)])
def test_what_is_no_surface_gives_depth_only_where_the_front_is_less_than_half_there(
    alpha: float, depth: float
) -> None:
    far = over(flat(0.2, 1.0, alpha), flat(0.8, 9.0, 1.0), is_surface=False)
    assert float(far.depth[0, 0, 0]) == pytest.approx(depth)
    assert float(far.rgb[0, 0, 0, 0]) == pytest.approx(0.2 + (1 - alpha) * 0.8)
    assert float(far.alpha[0, 0, 0]) == pytest.approx(1.0)


def test_a_scene_is_its_layers_drawn_alone_and_composed() -> None:
    """Every layer lies before the one that hides it: names decide, not positions."""
    scene = LayeredGaussians(
        {
            FRAMES: sheet(3.0, (0.9, 0.1, 0.1), 0.3, left=0.1),
            BACKGROUND: sheet(2.0, (0.1, 0.9, 0.1), 0.2),
            INPAINTED: sheet(1.5, (0.1, 0.1, 0.9), 0.2, left=-0.3),
            FAR_FIELD: sheet(1.0, (0.5, 0.5, 0.5), 0.6),
        }
    )
    drawn = draw_layers(scene, 0.3, *EYE)
    light, rgb = torch.ones(1, HEIGHT, WIDTH, 1), torch.zeros(1, HEIGHT, WIDTH, 3)
    weighted, surfaces = torch.zeros_like(light), torch.zeros_like(light)
    for name, layer in scene.items():
        alone = draw(layer, 0.3, *EYE)
        rgb = rgb + light * alone.rgb
        if name != FAR_FIELD:
            weighted = weighted + light * alone.alpha * alone.depth
            surfaces = surfaces + light * alone.alpha
        light = light * (1 - alone.alpha)
    torch.testing.assert_close(drawn.rgb, rgb, atol=1e-5, rtol=0)
    torch.testing.assert_close(drawn.alpha, 1 - light, atol=1e-5, rtol=0)
    solid = surfaces > 0.5
    assert 0.3 < solid.float().mean() <= 1
    torch.testing.assert_close(drawn.depth[solid], (weighted / surfaces)[solid], atol=1e-4, rtol=0)
    # One set of the same Gaussians would show the nearest first.
    assert (drawn.rgb - draw(scene.flat(), 0.3, *EYE).rgb).abs().mean() > 0.05


def opaque() -> DynamicGaussians:
    wall = sheet(2.0, (0.2, 0.4, 0.6), 0.99)
    return concatenate([wall, wall, wall])


@pytest.mark.parametrize("name", [BACKGROUND, INPAINTED, FAR_FIELD])
def test_what_lies_behind_an_opaque_layer_changes_nothing_and_is_not_drawn(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = LayeredGaussians({FRAMES: opaque()})
    expected = draw_layers(front, 0.5, *EYE)
    assert float(expected.alpha.min()) > 1 - OPEN
    assert not is_open(expected)
    drawn: list[int] = []

    def counted(gaussians: DynamicGaussians, *arguments: object) -> Drawing:
        drawn.append(len(gaussians))
        return draw(gaussians, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(layers_module, "draw", counted)
    # Nearer to the camera than the wall, but of a layer behind.
    both = draw_layers(front.replaced(name, sheet(1.0, (1.0, 1.0, 1.0), 0.9)), 0.5, *EYE)
    for field in ("rgb", "depth", "alpha"):
        assert torch.equal(getattr(both, field), getattr(expected, field))
    assert drawn == [len(front.frames)]
    holed = LayeredGaussians({FRAMES: sheet(2.0, (0.2, 0.4, 0.6), 0.99, left=0.0), name: opaque()})
    assert is_open(draw_layers(holed.only(FRAMES), 0.5, *EYE))
    assert float(draw_layers(holed, 0.5, *EYE).alpha.min()) > 0.9


def test_the_far_field_leaves_the_depth_of_surfaces_alone() -> None:
    surfaces = LayeredGaussians({FRAMES: sheet(2.0, (0.2, 0.4, 0.6), 0.35, left=-0.2)})
    bare = draw_layers(surfaces, 0.5, *EYE)
    scene = surfaces.replaced(FAR_FIELD, sheet(9.0, (0.8, 0.8, 0.8), 0.9))
    drawn = draw_layers(scene, 0.5, *EYE)
    solid, empty = bare.alpha >= 0.5, bare.alpha < 1e-3
    assert solid.float().mean() > 0.3
    assert empty.float().mean() > 0.1
    # Light shines through the surface, and its colour with it.
    assert ((drawn.rgb - bare.rgb).abs().amax(dim=-1, keepdim=True)[solid] > 0.01).all()
    assert torch.equal(drawn.depth[solid], bare.depth[solid])
    torch.testing.assert_close(drawn.depth[empty], torch.full_like(drawn.depth[empty], 9.0), atol=1e-2, rtol=0)
    # A background of the same Gaussians is a surface.
    background = draw_layers(surfaces.replaced(BACKGROUND, scene[FAR_FIELD]), 0.5, *EYE)
    assert float((background.depth - bare.depth)[solid].min()) > 0.1


def test_empty_scenes_are_black_and_open() -> None:
    nothing = draw_layers(LayeredGaussians({FRAMES: random_gaussians(5)[:0]}), 0.5, *EYE)
    assert not nothing.rgb.any()
    assert not nothing.alpha.any()
    assert is_open(nothing)
    behind = LayeredGaussians({FRAMES: random_gaussians(5)[:0], FAR_FIELD: opaque()})
    alone = draw(opaque(), 0.5, *EYE)
    torch.testing.assert_close(draw_layers(behind, 0.5, *EYE).rgb, alone.rgb)


def test_what_is_empty_lies_as_far_as_anything_drawn() -> None:
    drawing = draw(sheet(2.0, (0.2, 0.4, 0.6), 0.9, left=0.0), 0.5, *EYE)
    depth = depth_or_far(drawing)
    empty = drawing.alpha == 0
    assert 0.1 < empty.float().mean() < 0.9
    assert torch.equal(depth[~empty], drawing.depth[~empty])
    assert (depth[empty] == drawing.depth.max()).all()


PER_KEYFRAME = 300


def long_clip(keyframes: int) -> DynamicGaussians:
    """Moving Gaussians of many keyframes, each alive between its neighbours; those about the middle are the same."""
    gaussians = random_gaussians(PER_KEYFRAME, seed=1)
    number = torch.arange(keyframes).repeat_interleave(PER_KEYFRAME)
    away = (number - keyframes // 2).float()
    ones = torch.ones(keyframes * PER_KEYFRAME, dtype=torch.bool)
    every = torch.arange(PER_KEYFRAME).repeat(keyframes)
    clip = gaussians[every]
    means = clip.means + torch.tensor([0.0, 0.0, 4.0])
    # In the units of a gap, so that clips of all lengths have the same middle.
    return clip.with_(means=means, keyframe=number, interval=torch.stack([away - 1, away, away + 1], -1), dynamic=ones)


def test_a_long_clip_costs_what_lives() -> None:
    """800 keyframes as 50: the same rows are touched, forward and backward, and the time is about the same."""
    pictures, seconds = [], []
    for keyframes in (50, 800):
        scene = LayeredGaussians({FRAMES: long_clip(keyframes)})
        pictures.append(draw_layers(scene, 0.4, *EYE))
        taken = []
        for _ in range(7):
            started = time.process_time()
            draw_layers(scene, 0.4, *EYE)
            taken.append(time.process_time() - started)
        seconds.append(min(taken))
        names = ("means", "quats", "log_scales", "opacity_logits", "sh", "velocities", "life_span_logits")
        learned = scene.frames.with_(**{name: getattr(scene.frames, name).requires_grad_() for name in names})
        drawing = draw_layers(LayeredGaussians({FRAMES: learned}), 0.4, *EYE)
        drawing.rgb.sum().backward()
        for name in names:
            gradient = getattr(learned, name).grad
            assert gradient.is_sparse, name
            assert gradient._nnz() == 2 * PER_KEYFRAME, name
    for name in ("rgb", "depth", "alpha"):
        assert torch.equal(getattr(pictures[0], name), getattr(pictures[1], name))
    assert float(pictures[0].alpha.max()) > 0.3
    # Touching all 240,000 rows would cost several times as much.
    assert seconds[1] < 2 * seconds[0] + 0.005
