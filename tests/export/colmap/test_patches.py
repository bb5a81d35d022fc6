"""Patches found again in pictures whose warp is known."""

import cv2
import numpy as np
import pytest

from neoverse_ns.export.colmap.patches import cut_patches, levels, locate


def texture(uv: np.ndarray) -> np.ndarray:
    """A smooth pattern, defined between pixels, too."""
    x, y = uv[..., 0], uv[..., 1]
    waves = np.sin(0.55 * x + 0.1 * y) + np.cos(0.42 * y - 0.2 * x) + 0.7 * np.sin(0.3 * x - 0.35 * y)
    return 128 + 35 * waves


def picture(height: int, width: int, to_source: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """The pattern through an affine map about `middle`, with pixel centres at +0.5."""
    y, x = np.mgrid[:height, :width] + 0.5
    return texture((np.stack([x, y], -1) - middle) @ to_source.T + middle)


def as_bytes(values: np.ndarray) -> np.ndarray:
    return values.round().clip(0, 255).astype(np.uint8)


BEND = np.array([[1.15, 0.1], [-0.08, 0.9]])


@pytest.mark.parametrize(("height", "width"), [(120, 160), (360, 1100)])
def test_patches_are_found_to_a_small_part_of_a_pixel(height: int, width: int) -> None:
    middle = np.array([width / 2, height / 2])
    source = as_bytes(picture(height, width, np.eye(2), middle))
    target = as_bytes(picture(height, width, np.linalg.inv(BEND), middle))
    rng = np.random.default_rng(0)
    pixels = middle + rng.integers(-30, 30, (50, 2)) + 0.5
    true = (pixels - middle) @ BEND.T + middle
    guess = true + rng.uniform(-1.5, 1.5, true.shape)
    uv, found = locate(cut_patches(levels(source), pixels), levels(target), guess, np.broadcast_to(BEND, (50, 2, 2)))
    assert found.mean() > 0.9
    error = np.linalg.norm(uv - true, axis=-1)[found]
    assert np.median(error) < 0.05
    assert error.max() < 0.3
    assert np.linalg.norm(guess - true, axis=-1).mean() > 0.8


def test_coarse_levels_bring_far_guesses_home() -> None:
    rng = np.random.default_rng(2)
    noise = sum(
        cv2.resize(rng.uniform(-1, 1, (300 // size, 1300 // size)), (1300, 300), interpolation=cv2.INTER_CUBIC)
        for size in (3, 10, 30)
    )
    source = as_bytes(128 + 45 * noise)
    target = np.roll(source, (-6, 9), (0, 1))
    pixels = np.stack(np.meshgrid(np.arange(200.5, 1100, 60), np.arange(60.5, 240, 40)), -1).reshape(-1, 2)
    straight = np.eye(2)[None].repeat(len(pixels), 0)
    uv, found = locate(cut_patches(levels(source), pixels), levels(target), pixels, straight)
    assert found.mean() > 0.9
    np.testing.assert_allclose(uv[found], pixels[found] + np.array([9, -6]), atol=0.1)
    finest = locate(cut_patches(levels(source)[-1:], pixels), levels(target)[-1:], pixels, straight)[1]
    assert finest.mean() < 0.3


def test_brightness_does_not_matter_and_flat_or_foreign_patches_are_not_measured() -> None:
    middle = np.array([80.0, 60.0])
    plain = picture(120, 160, np.eye(2), middle)
    plain[:40, :60] = 90
    source = as_bytes(plain)
    darker = as_bytes(0.6 * plain + 20)
    darker[80:, 100:] = as_bytes(np.random.default_rng(1).uniform(0, 255, (40, 60)))
    pixels = np.array([[80.5, 60.5], [20.5, 20.5], [130.5, 100.5]])
    uv, found = locate(cut_patches(levels(source), pixels), levels(darker), pixels + 0.7, np.eye(2)[None].repeat(3, 0))
    assert found.tolist() == [True, False, False]
    np.testing.assert_allclose(uv[0], pixels[0], atol=0.05)


def test_an_edge_alone_does_not_tell_a_place() -> None:
    picture = np.full((60, 80), 40, np.uint8)
    picture[:, 40:] = 200
    pixels = np.array([[40.5, 30.5]])
    assert not cut_patches(levels(picture), pixels).sharp[0]
    picture[30:] = 120
    assert cut_patches(levels(picture), pixels).sharp[0]
