"""Drawing is repeatable to the bit, whatever the number of threads and whoever else is drawing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, LayeredGaussians
from neoverse_ns.optimise.row_adam import RowAdam
from neoverse_ns.rasterize.layers import draw_layers
from tests.gaussians.scenes import random_gaussians
from tests.rasterize.drawings import Drawing, draw
from tests.rasterize.raster_scenes import random_scene


@pytest.fixture
def restored_thread_count() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def assert_identical(actual: Drawing, expected: Drawing) -> None:
    assert torch.equal(actual.image, expected.image)
    assert torch.equal(actual.alpha, expected.alpha)
    for name, value in expected.gradients.items():
        assert torch.equal(actual.gradients[name], value), name


@pytest.mark.usefixtures("restored_thread_count")
def test_results_do_not_depend_on_the_number_of_threads() -> None:
    scene = random_scene(6000, 90, 70, sigma=(0.5, 3.0))
    torch.set_num_threads(1)
    expected = draw(scene, 90, 70, backend="cpu", render_mode="RGB+ED")
    for threads in (1, 2, 3, 5):
        torch.set_num_threads(threads)
        assert_identical(draw(scene, 90, 70, backend="cpu", render_mode="RGB+ED"), expected)


def test_threads_that_draw_at_the_same_time_do_not_disturb_each_other() -> None:
    sizes = [(80, 60), (33, 47), (64, 20)]
    scenes = [random_scene(1500, width, height, seed=i) for i, (width, height) in enumerate(sizes)]
    jobs = list(zip(scenes, sizes, strict=True))
    expected = [draw(scene, *size, backend="cpu") for scene, size in jobs]
    with ThreadPoolExecutor(max_workers=3) as pool:
        runs = [[pool.submit(draw, scene, *size, backend="cpu") for scene, size in jobs] for _ in range(6)]
        for run in runs:
            for future, reference in zip(run, expected, strict=True):
                assert_identical(future.result(), reference)


TRAINED = ("means", "quats", "log_scales", "opacity_logits", "sh", "velocities", "life_span_logits")
VIEW = torch.tensor([[[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 3], [0, 0, 0, 1]]])
INTRINSICS = torch.tensor([[[40.0, 0, 24], [0, 40, 16], [0, 0, 1]]])


def train(scene: LayeredGaussians, steps: int) -> None:
    """Pull a picture at changing times toward grey, as a trainer does: sparse gradients, values changed in place."""
    optimizer = RowAdam([getattr(layer, name) for layer in scene.values() for name in TRAINED], lr=0.01)
    for step in range(steps):
        optimizer.zero_grad()
        drawn = draw_layers(scene, step % 7 / 6, VIEW, INTRINSICS, 48, 32)
        ((drawn.rgb - 0.5).square().mean() + (1 - drawn.alpha).mean()).backward()
        optimizer.step()


def trainable() -> LayeredGaussians:
    gaussians = random_gaussians(800)
    layers = {FRAMES: gaussians[gaussians.dynamic], BACKGROUND: gaussians[~gaussians.dynamic]}

    def leaves(layer: DynamicGaussians) -> DynamicGaussians:
        return layer.with_(**{name: getattr(layer, name).requires_grad_() for name in TRAINED})

    return LayeredGaussians(layers).map(leaves)


def test_a_viewer_that_draws_during_training_changes_nothing() -> None:
    alone, watched = trainable(), trainable()
    train(alone, 30)
    done = Event()

    def watch() -> int:
        pictures = 0
        with torch.no_grad():
            while not done.is_set() or pictures == 0:
                picture = draw_layers(watched, pictures % 5 / 4, VIEW, INTRINSICS, 48, 32)
                assert torch.isfinite(picture.rgb).all()
                pictures += 1
        return pictures

    with ThreadPoolExecutor(max_workers=1) as pool:
        viewer = pool.submit(watch)
        train(watched, 30)
        done.set()
        assert viewer.result() > 0
    untouched = trainable()
    for layer in (FRAMES, BACKGROUND):
        # What never moves has no use for velocities and life spans.
        for name in TRAINED if layer == FRAMES else TRAINED[:-2]:
            before, after = getattr(untouched[layer], name), getattr(watched[layer], name)
            assert not torch.equal(after, before), (layer, name)
            assert torch.equal(after, getattr(alone[layer], name)), (layer, name)
