"""What all layouts are read by: files told by name where they are wrong, lenses by their numbers, clips by marks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.datafiles.finding import folders_with
from neoverse_ns.datafiles.intrinsics import pinhole, scaled
from neoverse_ns.datafiles.reading import (
    read_array,
    read_arrays,
    read_deep_png,
    read_matrix,
    read_numbers_png,
    read_rgb,
    read_table,
    read_text,
)
from neoverse_ns.errors import ClipError
from tests.training.data.sets.known_world import truncate


def test_deep_pictures_keep_their_values_and_the_order_of_their_channels(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (5, 7, 3)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "one.png"), values[..., 0])
    cv2.imwrite(str(tmp_path / "three.png"), values[..., ::-1])
    assert (read_deep_png(tmp_path / "one.png") == values[..., 0]).all()
    assert (read_deep_png(tmp_path / "three.png", channels=3) == values).all()


def test_numbers_of_a_palette_are_not_its_colours(tmp_path: Path) -> None:
    numbers = np.arange(20, dtype=np.uint8).reshape(4, 5)
    picture = Image.fromarray(numbers, mode="P")
    picture.putpalette(list(range(255, -1, -1)) * 3)
    picture.save(tmp_path / "palette.png")
    Image.fromarray(numbers).save(tmp_path / "grey.png")
    for name in ("palette", "grey"):
        assert (read_numbers_png(tmp_path / f"{name}.png") == numbers).all()


def write_wrong_files(folder: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (40, 40)).astype(np.uint16)
    cv2.imwrite(str(folder / "cut.png"), deep)
    truncate(folder / "cut.png")
    cv2.imwrite(str(folder / "turned.png"), deep)
    data = bytearray((folder / "turned.png").read_bytes())
    data[len(data) // 2] ^= 255
    (folder / "turned.png").write_bytes(data)
    Image.fromarray(np.zeros((4, 5, 3), dtype=np.uint8)).save(folder / "colour.png")
    (folder / "words.txt").write_text("1 2 3\nfour 5 6\n")
    (folder / "ragged.txt").write_text("1 2 3\n4 5\n")
    (folder / "empty.txt").write_text("# nothing\n")
    (folder / "mirrored.txt").write_text("-1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n")
    (folder / "binary.txt").write_bytes(b"\xff\xfe\x00")
    np.save(folder / "short.npy", np.zeros(3))
    np.save(folder / "objects.npy", np.array([{}], dtype=object))
    np.savez(folder / "lacking.npz", other=np.zeros(3))


@pytest.mark.parametrize(
    ("name", "read", "said"),
    [
        ("cut.png", read_deep_png, "no whole PNG"),
        ("turned.png", read_deep_png, "broken"),
        ("colour.png", read_deep_png, "3 channels of 8 bits instead of 1 of 16"),
        ("colour.png", read_numbers_png, "colours"),
        ("colour.png", lambda path: read_rgb(path, (4, 5)), "5x4 pixels instead of 4x5"),
        ("words.txt", lambda path: read_table(path, 3), "no table of numbers"),
        ("ragged.txt", lambda path: read_table(path, 3), "no table of numbers"),
        ("empty.txt", lambda path: read_table(path, 3), "no numbers"),
        ("mirrored.txt", read_matrix, "no rigid motion"),
        ("binary.txt", read_text, "no text"),
        ("short.npy", lambda path: read_array(path, (None, 3)), "holds 3 numbers instead of nx3"),
        ("objects.npy", lambda path: read_array(path, (1,)), "cannot be read"),
        ("lacking.npz", lambda path: read_arrays(path, {"wanted": (3,)}), "no array 'wanted'"),
        ("missing.npz", lambda path: read_arrays(path, {"wanted": (3,)}), "is missing"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(
    tmp_path: Path, name: str, read: Callable[[Path], object], said: str
) -> None:
    write_wrong_files(tmp_path)
    with pytest.raises(ClipError, match=said) as caught:
        read(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_half_a_pixel_is_added_where_a_file_shows_that_it_counts_from_centres() -> None:
    assert pinhole(725.0, 725.0, 620.5, 187.0, (1242, 375))[:2, 2].tolist() == [621.0, 187.5]
    assert pinhole(320.0, 320.0, 320.0, 240.0, (640, 480))[:2, 2].tolist() == [320.0, 240.0]
    assert pinhole(517.3, 516.5, 318.6, 255.3, (640, 480))[:2, 2].tolist() == [318.6, 255.3]
    assert pinhole(100.0, 100.0, 31.5, 23.5)[:2, 2].tolist() == [31.5, 23.5]


def test_a_lens_scales_with_its_picture() -> None:
    """A point is seen at the same share of the picture, by projecting it at both sizes."""
    K = pinhole(500.0, 510.0, 330.0, 250.0)
    point = torch.tensor([0.3, -0.2, 2.0], dtype=torch.float64)
    large, small = ((k @ point)[:2] / point[2] for k in (K, scaled(K, (640, 480), (64, 24))))
    torch.testing.assert_close(small, large * torch.tensor([0.1, 0.05], dtype=torch.float64))


def test_clips_are_folders_with_all_marks_not_looked_through_any_further(tmp_path: Path) -> None:
    for name in ("b/one/mark", "b/one/inner/mark", "a/mark", "c/d/e/f/mark", ".hidden/mark", "half/mark"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("b/one", "b/one/inner", "a", "c/d/e/f", ".hidden"):
        (tmp_path / name / "other.txt").write_text("")
    assert folders_with(tmp_path, "mark", "other.txt") == [tmp_path / "a", tmp_path / "b/one"]
    assert folders_with(tmp_path / "a", "mark") == [tmp_path / "a"]
    assert folders_with(tmp_path, "mark", "other.txt", deepest=4)[-1] == tmp_path / "c/d/e/f"
