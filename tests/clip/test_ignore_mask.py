"""Masks that the user gives: for all frames or one for each, matched, brought to size, refused with reason."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.ignore_mask import read_ignored
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import ClipError
from tests.clip.clip_makers import write_video
from tests.clip.test_borders import moving_texture


def source(folder: Path) -> Path:
    return write_video(folder / "a.mp4", list(moving_texture(112, 192)), options={"crf": "10"})


def mask(box: tuple[int, int, int, int], value: int = 255, size: tuple[int, int] = (112, 192)) -> np.ndarray:
    x, y, w, h = box
    image = np.zeros(size, np.uint8)
    image[y : y + h, x : x + w] = value
    return image


def loaded(path: Path, ignore: Path, **changes: object) -> Clip:
    return load_clip(path, ClipConfig(ignore=ignore, num_frames=3, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1, 255])
def test_one_mask_holds_for_all_frames(tmp_path: Path, value: int) -> None:
    Image.fromarray(mask((104, 24, 40, 20), value)).save(tmp_path / "mask.png")
    clip = loaded(source(tmp_path), tmp_path / "mask.png")
    assert clip.ignored is not None
    expected = mask((104, 24, 40, 20)) > 0
    assert all(np.array_equal(frame.numpy(), expected) for frame in clip.ignored)
    world = clip.world(0, (56, 96))
    assert world is not None
    assert np.array_equal(~world.numpy(), expected[::2, ::2])


def test_masks_of_another_resolution_and_crops_fit(tmp_path: Path) -> None:
    large = cv2.resize(mask((104, 24, 40, 20)), None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    Image.fromarray(large).save(tmp_path / "large.png")
    clip = loaded(source(tmp_path), tmp_path / "large.png", crop="96,20,96,64")
    assert clip.ignored is not None
    expected = np.zeros((64, 96), bool)
    expected[4:24, 8:48] = True
    assert np.array_equal(clip.ignored[0].numpy(), expected)
    Image.fromarray(mask((13, 3, 5, 3), size=(14, 24))).save(tmp_path / "small.png")
    small = loaded(source(tmp_path), tmp_path / "small.png").ignored
    assert small is not None
    assert np.array_equal(small[0].numpy(), mask((104, 24, 40, 24)) > 0)


def test_a_lossy_mask_ignores_its_lighter_half(tmp_path: Path) -> None:
    Image.fromarray(mask((100, 20, 60, 60))).save(tmp_path / "mask.jpg", quality=60)
    ignored = loaded(source(tmp_path), tmp_path / "mask.jpg").ignored
    assert ignored is not None
    assert abs(float(ignored.float().mean()) - 3600 / (112 * 192)) < 0.02


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([f"m_{i}.png" for i in range(6)], id="numbered from 0"),
        pytest.param([f"{i + 1:03d}.png" for i in range(6)], id="numbered from 1"),
        pytest.param(["a.png", "b.png", "c.png"], id="in order"),
    ],
)
def test_masks_of_a_video_are_matched(tmp_path: Path, names: list[str]) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    sampled = [0, 2, 5]
    for place, name in enumerate(names):
        frame = place if len(names) == 6 else sampled[place]
        Image.fromarray(mask((20 + 20 * frame, 40, 16, 16))).save(folder / name)
    clip = loaded(source(tmp_path), folder)
    assert clip.ignored is not None
    for frame, found in zip(clip.frame_indices.tolist(), clip.ignored, strict=True):
        left = int(found.any(0).nonzero().min())
        assert left == 20 + 20 * frame


def test_masks_of_images_are_matched_by_name(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for number, frame in enumerate(moving_texture(112, 192)[:3]):
        name = "xyz"[number]
        Image.fromarray(frame).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(mask((20 + 40 * number, 40, 16, 16))).save(tmp_path / "masks" / f"{name}_mask.png")
    # One more that belongs to no frame.
    Image.fromarray(mask((0, 0, 9, 9))).save(tmp_path / "masks" / "w.png")
    clip = loaded(tmp_path / "images", tmp_path / "masks")
    assert clip.ignored is not None
    assert [int(found.any(0).nonzero().min()) for found in clip.ignored] == [20, 60, 100]


def test_masks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    file = source(tmp_path)
    with pytest.raises(ClipError, match="no such file or folder"):
        loaded(file, tmp_path / "none.png")
    Image.fromarray(np.zeros((100, 100), np.uint8)).save(tmp_path / "square.png")
    with pytest.raises(ClipError, match="the mask has 100x100 pixels, the source 192x112"):
        loaded(file, tmp_path / "square.png")
    (tmp_path / "broken.png").write_bytes(b"nothing")
    with pytest.raises(ClipError, match=r"--ignore: .*broken\.png"):
        loaded(file, tmp_path / "broken.png")
    Image.fromarray(np.full((112, 192), 255, np.uint8)).save(tmp_path / "all.png")
    with pytest.raises(ClipError, match="all of the picture would be ignored"):
        loaded(file, tmp_path / "all.png")
    folder = tmp_path / "masks"
    folder.mkdir()
    for name in ("p.png", "q.png"):
        Image.fromarray(mask((0, 0, 9, 9))).save(folder / name)
    with pytest.raises(ClipError, match="2 masks fit 3 sampled frames neither by name nor by number nor in order"):
        loaded(file, folder)


def test_a_photo_is_no_mask(tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 255, (24, 40, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    with pytest.raises(ClipError, match="neither black nor white"):
        read_ignored(tmp_path / "photo.png", [0], None, (40, 24), None, (40, 24))
    labels = np.zeros((24, 40), np.uint8)
    labels[:, :30] = 90
    Image.fromarray(labels).save(tmp_path / "labels.png")
    assert read_ignored(tmp_path / "labels.png", [0], None, (40, 24), None, (40, 24)).float().mean() == pytest.approx(
        0.75, abs=0.03
    )
