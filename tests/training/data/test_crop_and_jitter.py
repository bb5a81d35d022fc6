"""Crops about the principal point, and colours that are varied alike in all frames."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.training.data.crop import Crop, crop_of
from neoverse_ns.training.data.jitter import JitterConfig, JitterDraw, draw_jitter, hue_shifted, jittered


def intrinsics(f: float, cx: float, cy: float) -> torch.Tensor:
    return torch.tensor([[f, 0, cx], [0, 1.1 * f, cy], [0, 0, 1]], dtype=torch.float64)


def test_a_crop_has_the_principal_point_in_its_middle() -> None:
    for sample in ((28, 42), (42, 28), (56, 56)):
        for enlargement in (1.0, 1.2):
            crop = crop_of(intrinsics(80, 50.3, 31.2), (70, 110), sample, enlargement)
            K = crop.K(intrinsics(80, 50.3, 31.2))
            assert K[:2, 2].tolist() == pytest.approx([sample[1] / 2, sample[0] / 2])
            assert (K[1, 1] / K[0, 0]).item() == pytest.approx(1.1)
            right, bottom = crop.left + sample[1] / crop.scale, crop.top + sample[0] / crop.scale
            assert min(crop.left, crop.top) > -1e-9
            assert right < 110 + 1e-9
            assert bottom < 70 + 1e-9
            edges = (crop.left, crop.top, 110 - right, 70 - bottom)
            assert (min(map(abs, edges)) < 1e-9) == (enlargement == 1), "as large as the aspect allows"


def test_principal_points_near_an_edge_are_refused() -> None:
    crop_of(intrinsics(80, 22.1, 35), (70, 110), (28, 42))
    with pytest.raises(ClipError, match="22 pixels from an edge of 110x70"):
        crop_of(intrinsics(80, 22.0, 35), (70, 110), (28, 42))
    with pytest.raises(ClipError, match="14 pixels"):
        crop_of(intrinsics(80, 55, 56.5), (70, 110), (28, 42))
    with pytest.raises(ClipError, match="focal"):
        crop_of(intrinsics(0, 55, 35), (70, 110), (28, 42))


def test_an_equal_size_changes_nothing() -> None:
    crop = crop_of(intrinsics(80, 55, 35), (70, 110), (70, 110))
    assert (crop.left, crop.top, crop.scale) == (0, 0, 1)
    rgb = torch.randint(0, 256, (70, 110, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(crop.colours(rgb), rgb.permute(2, 0, 1).float() / 255)
    source, known = crop.source_pixels(torch.ones(70, 110, dtype=torch.bool))
    assert torch.equal(source.flatten(), torch.arange(7700))
    assert known.all()


def test_pictures_and_depth_show_the_same_place() -> None:
    x = torch.linspace(0, 200, 110).to(torch.uint8)
    rgb = x.expand(70, 110)[..., None].expand(70, 110, 3).contiguous()
    crop = crop_of(intrinsics(80, 50.3, 31.2), (70, 110), (28, 42), 1.1)
    colours = crop.colours(rgb)[0, 14] * 255
    source, _ = crop.source_pixels(torch.ones(70, 110, dtype=torch.bool))
    assert (x[source[14] % 110] - colours).abs().max() < 2.5
    by_hand = Image.fromarray(rgb.numpy()).resize(
        (42, 28),
        Image.Resampling.LANCZOS,
        (crop.left, crop.top, crop.left + 42 / crop.scale, crop.top + 28 / crop.scale),
    )
    assert np.abs(np.asarray(by_hand)[14, :, 0] - colours.numpy()).max() < 1e-3


def test_sparse_pixels_are_not_lost() -> None:
    crop = Crop(0.0, 0.0, 0.5, 35, 55)
    known = torch.zeros(70, 110, dtype=torch.bool)
    for row, column in ((0, 0), (11, 20), (10, 21), (69, 109)):
        known[row, column] = True
    source, hit = crop.source_pixels(known)
    assert hit.nonzero().tolist() == [[0, 0], [5, 10], [34, 54]]
    assert source[0, 0] == 0
    assert source[5, 10] in (11 * 110 + 20, 10 * 110 + 21)
    assert source[34, 54] == 69 * 110 + 109
    dense, _ = crop.source_pixels(torch.ones(70, 110, dtype=torch.bool))
    assert dense[5, 10] == 11 * 110 + 21
    none, nothing = crop.source_pixels(torch.zeros(70, 110, dtype=torch.bool))
    assert torch.equal(none, dense)
    assert not nothing.any()


def test_hue_turns_as_in_hsv() -> None:
    colours = torch.rand(200, 3, generator=torch.Generator().manual_seed(1))
    colours[0], colours[1] = torch.tensor([0.4, 0.4, 0.4]), torch.tensor([0.0, 0.0, 0.0])
    for share in (-0.1, 0.07, 0.5):
        found = hue_shifted(colours.T.reshape(1, 3, 10, 20), share).view(3, 200).T
        for own, other in zip(colours.tolist(), found.tolist(), strict=True):
            h, s, v = colorsys.rgb_to_hsv(*own)
            assert other == pytest.approx(colorsys.hsv_to_rgb((h + share) % 1, s, v), abs=1e-5)


def test_jitter_is_the_same_for_all_frames() -> None:
    generator = torch.Generator().manual_seed(2)
    frames = torch.rand(4, 3, 6, 8, generator=generator)
    frames[2] *= 0.2
    frames[3, :, :3] = frames[0, :, 3:]
    draw = JitterDraw((2, 1, 3, 0), 0.8, 1.4, 0.6, 0.05)
    found = jittered(frames, draw)
    assert torch.equal(found[3, :, :3], found[0, :, 3:]), "one surface keeps one colour, whatever else a frame shows"
    assert 0 <= found.min() < found.max() <= 1
    assert torch.equal(jittered(frames, JitterDraw()), frames)
    bright = jittered(frames, JitterDraw(brightness=0.5))
    assert torch.allclose(bright, frames / 2)
    grey = jittered(frames, JitterDraw(grey=True))
    assert torch.allclose(grey[:, 0], (frames * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1))
    assert torch.equal(grey[:, 0], grey[:, 2])
    flat = jittered(frames, JitterDraw(saturation=0.0))
    assert torch.allclose(flat, grey, atol=1e-6)


def test_jitter_is_drawn_as_often_and_as_far_as_asked() -> None:
    generator = torch.Generator().manual_seed(3)
    draws = [draw_jitter(JitterConfig(), generator) for _ in range(1000)]
    varied = [draw for draw in draws if draw.brightness != 1]
    assert len(varied) == pytest.approx(900, abs=40)
    assert sum(draw.grey for draw in draws) == pytest.approx(50, abs=30)
    assert len({draw.order for draw in varied}) == 24
    for name, reach, middle in (("brightness", 0.5, 1), ("contrast", 0.5, 1), ("saturation", 0.5, 1), ("hue", 0.1, 0)):
        values = np.array([getattr(draw, name) for draw in varied])
        assert values.min() == pytest.approx(middle - reach, abs=0.02)
        assert values.max() == pytest.approx(middle + reach, abs=0.02)
        assert values.mean() == pytest.approx(middle, abs=0.05)
    for wrong in ({"probability": 2.0}, {"hue": 0.6}, {"contrast": -0.1}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            JitterConfig(**wrong).validate()
