"""Crops: from bars, from the user, in the source's pixels, whatever the size and the pixels' shape."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.cropping import cut, needed
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.reconstruct.priors.framing import framing_of
from tests.clip.clip_makers import write_video
from tests.clip.test_borders import barred, moving_texture


def video(path: Path, frames: np.ndarray, **options: object) -> Path:
    even = np.zeros((len(frames), frames.shape[1] // 2 * 2, frames.shape[2] // 2 * 2, 3), np.uint8)
    even[:] = frames[:, : even.shape[1], : even.shape[2]]
    return write_video(path, list(even), options={"crf": "10"}, **options)  # type: ignore[arg-type]


def test_bars_are_cut_off_and_the_picture_fills_the_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = video(tmp_path / "a.mp4", barred((60, 0, 80, 120)))
    clip = load_clip(file, ClipConfig())
    assert clip.crop is not None
    assert np.abs(np.array(clip.crop) - (60, 0, 80, 120)).max() <= 1
    assert clip.source_size == (200, 120)
    assert clip.height > clip.width
    assert float(clip.frames[:, :, :3].float().std()) > 20
    assert "--crop none keeps them" in capsys.readouterr().out
    # A focal length in the source's pixels becomes one here by the ratio of the cropped sizes.
    assert clip.source_scale == pytest.approx(80 / clip.crop[2])


def test_without_cropping_nothing_changes(tmp_path: Path) -> None:
    file = video(tmp_path / "a.mp4", barred((60, 0, 80, 120)))
    whole = load_clip(file, ClipConfig(crop="none"))
    assert whole.crop is None
    assert (whole.width, whole.height) == (192, 112)
    plain = video(tmp_path / "b.mp4", moving_texture(112, 192))
    assert torch.equal(load_clip(plain, ClipConfig()).frames, load_clip(plain, ClipConfig(crop="none")).frames)


def test_the_part_asked_for_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = video(tmp_path / "a.mp4", moving_texture(112, 192))
    whole = load_clip(file, ClipConfig(crop="none", width=192))
    part = load_clip(file, ClipConfig(crop="48,24,96,64"))
    assert (part.width, part.height, part.crop) == (96, 64, (48, 24, 96, 64))
    expected = whole.frames[:, 24:88, 48:144].float()
    assert float((part.frames.float() - expected).abs().mean()) < 2
    assert "own middle" not in capsys.readouterr().out
    load_clip(file, ClipConfig(crop="0,0,192,80"))
    assert "own middle" in capsys.readouterr().out


def test_crops_count_square_pixels(tmp_path: Path) -> None:
    """Pixels twice as wide as high: 96 columns are shown as 192."""
    squeezed = moving_texture(112, 192)[:, :, ::2]
    file = video(tmp_path / "a.mp4", squeezed, aspect=Fraction(2, 1))
    clip = load_clip(file, ClipConfig(crop="96,0,96,112"))
    assert clip.source_size == (192, 112)
    assert (clip.width, clip.height) == (96, 112)


@pytest.mark.parametrize("crop", ["0,0,300,100", "10,10,190,100"])
def test_crops_beyond_the_picture_are_refused(tmp_path: Path, crop: str) -> None:
    file = video(tmp_path / "a.mp4", moving_texture(112, 192))
    with pytest.raises(ClipError, match="reaches beyond the picture, which has 192x112"):
        load_clip(file, ClipConfig(crop=crop))


@pytest.mark.parametrize("crop", ["", "bars", "1,2,3", "0,0,0,10", "-1,0,10,10", "0.5,0,10,10"])
def test_settings_that_are_no_crop_are_refused(crop: str) -> None:
    with pytest.raises(SettingsError, match="crop must be auto, none, or x,y,w,h"):
        ClipConfig(crop=crop).validate()


def test_known_intrinsics_and_depth_follow_the_crop(tmp_path: Path) -> None:
    clip = load_clip(video(tmp_path / "a.mp4", moving_texture(112, 192)), ClipConfig(crop="40,10,128,96", width=64))
    framing = framing_of(clip)
    assert (clip.width, clip.height) == (64, 48)
    # Given for the source at half its size: a point of its picture lands at the same place of the cropped one.
    K = torch.tensor([[90.0, 0.0, 52.0], [0.0, 90.0, 29.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    moved = framing.intrinsics(K[None], 96, 56)[0]
    ray = torch.tensor([0.1, -0.2, 1.0], dtype=torch.float64)
    x, y = 2 * (K @ ray)[0], 2 * (K @ ray)[1]
    assert torch.allclose(moved @ ray, torch.tensor([(x - 40) / 2, (y - 10) / 2, 1.0], dtype=torch.float64))
    columns = np.tile(np.arange(192, dtype=np.float32), (112, 1))
    part = framing.cut(columns)
    assert part.shape == (48, 64)
    assert np.abs(part[0] - (40 + 2 * np.arange(64))).max() <= 1


def test_parts_of_smaller_images_are_cut_alike() -> None:
    image = np.arange(60 * 100 * 3).reshape(60, 100, 3).astype(np.uint8)
    assert cut(image, (200, 120), None) is image
    assert np.array_equal(cut(image, (200, 120), (40, 20, 100, 60)), image[10:40, 20:70])
    assert needed((50, 30), (200, 120), (40, 20, 100, 60)) == (100, 60)
    assert needed((50, 30), (200, 120), None) == (50, 30)
