"""Masks read from images, folders and videos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.applications.edit.selection.mask_files import read_masks
from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.write import write_video
from neoverse_ns.errors import SettingsError

WIDTH, HEIGHT = 48, 32


def clip(indices: tuple[int, ...] = (0, 2, 4)) -> Clip:
    frames = torch.zeros(len(indices), HEIGHT, WIDTH, 3, dtype=torch.uint8)
    return Clip(frames, torch.tensor(indices), torch.tensor(indices, dtype=torch.float64) / 8, Path("clip.mp4"))


def mask(left: int, scale: int = 1) -> np.ndarray:
    image = np.zeros((HEIGHT * scale, WIDTH * scale), np.uint8)
    image[8 * scale : 20 * scale, left * scale : (left + 10) * scale] = 255
    return image


def expected(left: int) -> torch.Tensor:
    return torch.from_numpy(mask(left) > 0).float()


def test_an_image_belongs_to_one_frame_at_any_resolution(tmp_path: Path) -> None:
    Image.fromarray(mask(6, 4)).save(tmp_path / "m.png")
    masks, frames = read_masks(tmp_path / "m.png", clip(), 2)
    assert frames == [2]
    assert torch.equal(masks[0], expected(6))
    assert read_masks(tmp_path / "m.png", clip())[1] == [0]


def test_a_folder_has_one_for_each_sampled_or_each_source_frame(tmp_path: Path) -> None:
    for number in range(5):
        Image.fromarray(mask(5 * number)).save(tmp_path / f"mask_{number:03d}.png")
    masks, frames = read_masks(tmp_path, clip())
    assert frames == [0, 1, 2]
    assert torch.equal(masks, torch.stack([expected(0), expected(10), expected(20)]))
    in_order, _ = read_masks(tmp_path, clip((3, 8, 9, 11, 20)))
    assert torch.equal(in_order[4], expected(20))
    with pytest.raises(SettingsError, match="holds 5 masks"):
        read_masks(tmp_path, clip((0, 9)))


def test_a_video_counts_where_it_is_light(tmp_path: Path) -> None:
    pictures = torch.stack([torch.from_numpy(mask(5 * n))[..., None].expand(-1, -1, 3) for n in range(5)])
    write_video(tmp_path / "m.mp4", pictures.contiguous(), 8.0)
    masks, frames = read_masks(tmp_path / "m.mp4", clip())
    assert frames == [0, 1, 2]
    for found, left in zip(masks, (0, 10, 20), strict=True):
        assert (found != expected(left)).float().mean() < 0.02


def test_masks_of_the_source_are_cut_as_the_clip_was(tmp_path: Path) -> None:
    whole = np.zeros((64, 64), np.uint8)
    whole[16:48, 8:56] = mask(6)
    Image.fromarray(whole).save(tmp_path / "m.png")
    cropped = replace(clip(), source_size=(64, 64), crop=(8, 16, 48, 32))
    assert torch.equal(read_masks(tmp_path / "m.png", cropped)[0][0], expected(6))


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(tmp_path / "square.png")
    with pytest.raises(SettingsError, match="must show the same picture"):
        read_masks(tmp_path / "square.png", clip())
    with pytest.raises(SettingsError, match="no such file"):
        read_masks(tmp_path / "nothing.png", clip())
    with pytest.raises(SettingsError, match="sampled frames are 0 to 2"):
        read_masks(tmp_path / "square.png", clip(), 3)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SettingsError, match="cannot be read as a video"):
        read_masks(tmp_path / "text.mp4", clip())
