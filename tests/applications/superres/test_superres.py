"""Frames enlarged by what others saw between their pixels, against the larger clip that they were made from."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.applications.superres.config import SuperresConfig
from neoverse_ns.applications.superres.enlarge import enlarge_clip
from neoverse_ns.applications.superres.fuse import fuse, neighbours
from neoverse_ns.applications.superres.guard import believed
from neoverse_ns.applications.superres.sizes import Picture, enlarged, reduced
from neoverse_ns.applications.superres.surfaces import Surfaces
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.geometry.cameras import PinholeCameras
from tests.applications.courtyard import Courtyard, courtyard


@pytest.fixture(scope="module")
def yard() -> Courtyard:
    return courtyard()


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a.astype(np.float64) - b).mean()))


def wall(count: int = 5, scale: int = 2) -> tuple[list[Picture], Picture, Surfaces]:
    """A camera that slides along a wall by 1.3 pixels a frame: its frames, the middle one enlarged, and its depth."""
    random = np.random.default_rng(0)
    fine = cv2.GaussianBlur(random.random((40 * 8, 80 * 8, 3)).astype(np.float32), (0, 0), 3.0)
    fine = (0.5 + 4 * (fine - fine.mean())).clip(0, 1)
    size, shifts = (32, 48), [1.3 * i for i in range(count)]

    def seen(left: float, finer: int) -> Picture:
        step = 8 // finer
        x0 = round(left * 8)
        cut = fine[: size[0] * 8, x0 : x0 + size[1] * 8]
        return cv2.resize(cut, (size[1] * 8 // step, size[0] * 8 // step), interpolation=cv2.INTER_AREA)

    left = [round(shift * 8) / 8 for shift in shifts]
    K = torch.tensor([[40.0, 0, 24], [0, 40.0, 16], [0, 0, 1]], dtype=torch.float64).repeat(count, 1, 1)
    c2w = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    c2w[:, 0, 3] = torch.tensor(left) / 40
    surfaces = Surfaces(PinholeCameras(c2w, K, 48, 32), np.ones((count, 32, 48), np.float32))
    return [seen(x, 1) for x in left], seen(left[count // 2], scale), surfaces


@pytest.mark.parametrize("scale", [2, 4])
def test_frames_a_fraction_of_a_pixel_apart_add_detail(scale: int) -> None:
    frames, truth, surfaces = wall(scale=scale)
    config = SuperresConfig(scale=scale, tolerance=0.2)  # pyright: ignore[reportArgumentType]
    several = decibels(fuse(frames, surfaces, 2, config), truth)
    alone = decibels(fuse(frames, surfaces, 2, replace(config, neighbours=0)), truth)
    plain = decibels(enlarged(frames[2], scale), truth)
    assert several > plain + 1.0
    assert several > alone + 0.5


def test_what_is_made_reproduces_the_frame() -> None:
    frames, _, surfaces = wall()
    made = fuse(frames, surfaces, 2, SuperresConfig(neighbours=0, rounds=10))
    assert (
        np.abs(reduced(made, 2) - frames[2]).mean()
        < 0.1 * np.abs(reduced(enlarged(frames[2], 2), 2) - frames[2]).mean()
    )
    # Whatever a refiner paints, the frame stays what it was.
    painted = np.full((64, 96, 3), 0.3, np.float32)
    made = fuse(frames, surfaces, 2, SuperresConfig(neighbours=0, rounds=10), painted)
    assert np.abs(reduced(made, 2) - frames[2]).mean() < 0.01


def test_a_neighbour_that_shows_something_else_has_no_say() -> None:
    frames, _, surfaces = wall()
    config = SuperresConfig(neighbours=1)
    alone = fuse(frames, surfaces, 2, replace(config, neighbours=0))
    others = [frame if i == 2 else 1 - frame for i, frame in enumerate(frames)]
    assert np.abs(fuse(others, surfaces, 2, config) - alone).mean() < 0.01


def test_the_guard_believes_detail_and_not_noise() -> None:
    frames, _, surfaces = wall()
    assert believed(frames, surfaces, SuperresConfig(tolerance=0.2)) > 0.6
    noise = [np.random.default_rng(i).random((32, 48, 3)).astype(np.float32) for i in range(5)]
    assert believed(noise, surfaces, SuperresConfig()) < 0.6
    small = [frame[:16, :16] for frame in frames]
    assert believed(small, surfaces.cropped(16, 16), SuperresConfig()) == 1.0


def test_neighbours_end_with_the_clip() -> None:
    assert neighbours(0, 5, SuperresConfig()) == [1, 2]
    assert neighbours(4, 5, SuperresConfig(neighbours=1)) == [3]
    assert neighbours(2, 5, SuperresConfig(neighbours=0)) == []


def test_a_clip_is_sharper_than_bicubic(yard: Courtyard) -> None:
    made = enlarge_clip(yard.scene)
    assert made.frames.shape == yard.large.shape
    assert made.fps == pytest.approx(8)
    truth = yard.large.numpy() / 255
    plain = np.stack([enlarged(frame.astype(np.float32) / 255, 2).clip(0, 1) for frame in yard.frames.numpy()])
    assert decibels(made.frames.numpy() / 255, truth) > decibels(plain, truth) + 0.3


def test_a_refiner_finishes_the_larger_drawing(yard: Courtyard) -> None:
    made = enlarge_clip(yard.scene, refine=RefinerConfig(refiner="telea"))
    small = np.stack([reduced(frame.astype(np.float32), 2) for frame in made.frames.numpy()])
    assert np.abs(small - yard.frames.numpy()).mean() < 2.5


def test_bad_settings_and_scenes_without_frames(yard: Courtyard) -> None:
    odd = SuperresConfig()
    odd.scale = 3  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(SettingsError, match="scale"):
        enlarge_clip(yard.scene, odd)
    with pytest.raises(SettingsError, match="neighbours"):
        SuperresConfig(neighbours=-1).validate()
    with pytest.raises(SettingsError, match="tolerance"):
        SuperresConfig(tolerance=float("nan")).validate()
    with pytest.raises(RunError, match="no frames"):
        enlarge_clip(replace(yard.scene, source=None))
