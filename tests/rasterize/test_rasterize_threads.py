"""Drawing is repeatable to the bit, whatever the number of threads and whoever else is drawing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

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
