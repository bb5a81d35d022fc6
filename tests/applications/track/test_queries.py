"""Points as they are given: in words, tables, arrays, grids and masks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.applications.track.queries import grid
from neoverse_ns.applications.track.query_mask import read_mask
from neoverse_ns.applications.track.query_text import (
    frame_named,
    in_scene_pixels,
    read_point_file,
    read_points,
)
from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.write import write_video
from neoverse_ns.errors import SettingsError

COUNT, WIDTH, HEIGHT = 5, 96, 64


def clip_of(**changes: object) -> Clip:
    frames = torch.zeros(COUNT, HEIGHT, WIDTH, 3, dtype=torch.uint8)
    seconds = torch.arange(COUNT, dtype=torch.float64) / 4
    return Clip(frames, 3 * torch.arange(COUNT), seconds, Path("clip.mp4"), **changes)  # type: ignore[arg-type]


def test_points_in_words() -> None:
    found = read_points(("12,7@3", " 1.5 , 2 @ 0.6s", "4,5"), clip_of())
    assert found.xy.tolist() == [[12, 7], [1.5, 2], [4, 5]]
    assert found.frame.tolist() == [3, 2, 0]


@pytest.mark.parametrize("text", ["12", "12,7@", "a,b@1", "1,2,3@4", "1,2@x", "1,2@nans", "1,2@5", "1,2@-1"])
def test_what_is_no_point_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match=r"no point|no frame"):
        read_points((text,), clip_of())


def test_seconds_name_the_nearest_frame() -> None:
    assert [frame_named(text, clip_of()) for text in ("0s", "0.3s", "0.9s", "1.2s", "4")] == [0, 1, 4, 4, 4]


@pytest.mark.parametrize("text", ["7s", "-0.1s", "1.3s"])
def test_seconds_outside_the_clip_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{text} lies outside the clip, whose frames are at 0s to 1s$"):
        frame_named(text, clip_of())


@pytest.mark.parametrize(
    "text",
    ["x,y,frame\n1,2,3\n4,5,0\n", "frame,y,x\n3,2,1\n0,5,4\n", "1,2,3\n\n4,5\n", "\ufeffX, Y, Frame\n1,2,3\n4,5,0\n"],
)
def test_tables(tmp_path: Path, text: str) -> None:
    path = tmp_path / "points.csv"
    path.write_text(text, "utf8")
    found = read_point_file(path, clip_of())
    assert found.xy.tolist() == [[1, 2], [4, 5]]
    assert found.frame.tolist() == [3, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "holds no points"), ("a,b\n1,2\n", "columns must be"), ("1,2,0\nx,3,0\n", "point 2: x, 3, 0")],
)
def test_bad_tables_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "points.csv"
    path.write_text(text, "utf8")
    with pytest.raises(SettingsError, match=words):
        read_point_file(path, clip_of())


def test_arrays(tmp_path: Path) -> None:
    path = tmp_path / "points.npz"
    np.savez(path, queries_xyt=np.array([[1, 2, 3], [4, 5, 0]], np.float32))
    assert read_point_file(path, clip_of()).frame.tolist() == [3, 0]
    np.savez(path, queries_xyt=np.zeros((2, 2)))
    with pytest.raises(SettingsError, match=r"shape \[points, 3\], not \[2, 2\]"):
        read_point_file(path, clip_of())
    np.savez(path, other=np.zeros(2))
    with pytest.raises(SettingsError, match="only other"):
        read_point_file(path, clip_of())
    path.write_bytes(b"no archive")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_point_file(path, clip_of())


def test_pixels_of_the_source_are_those_of_the_scene() -> None:
    # Half the size, of which 8 rows are cut above and below: the source's middle is the scene's.
    clip = clip_of(source_size=(192, 160))
    found = in_scene_pixels(read_points(("96,80", "0,16"), clip), clip)
    torch.testing.assert_close(found.xy, torch.tensor([[48.0, 32.0], [0.0, 0.0]]))
    cropped = clip_of(source_size=(400, 300), crop=(100, 50, 192, 128))
    found = in_scene_pixels(read_points(("100,50", "292,178"), cropped), cropped)
    torch.testing.assert_close(found.xy, torch.tensor([[0.0, 0.0], [96.0, 64.0]]))


def test_a_grid_is_as_wide_meshed_down_as_across() -> None:
    found = grid(6, 2, WIDTH, HEIGHT)
    assert len(found) == 6 * 4
    assert found.xy[0].tolist() == [8, 8]
    assert found.xy[-1].tolist() == [88, 56]
    assert set(found.frame.tolist()) == {2}
    with pytest.raises(SettingsError, match="at least one column"):
        grid(0, 0, WIDTH, HEIGHT)
    with pytest.raises(SettingsError, match="96 in a row, got 100000"):
        grid(100_000, 0, WIDTH, HEIGHT)


def test_a_mask_chooses_points_of_a_grid(tmp_path: Path) -> None:
    picture = np.zeros((2 * HEIGHT, 2 * WIDTH), np.uint8)
    picture[64:, 96:] = 255
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), picture)
    mask = read_mask(path, 1, clip_of())
    found = grid(12, 1, WIDTH, HEIGHT, mask)
    assert len(found) == 6 * 4
    assert (found.xy >= torch.tensor([48.0, 32.0])).all()
    mask[:] = False
    mask[0, 0] = True
    with pytest.raises(SettingsError, match="no point of the grid lies within the mask"):
        grid(12, 1, WIDTH, HEIGHT, mask)


@pytest.mark.parametrize("pictures", [COUNT, 3 * COUNT])
def test_a_mask_video_has_one_for_every_frame(tmp_path: Path, pictures: int) -> None:
    frames = torch.zeros(pictures, HEIGHT, WIDTH, 3, dtype=torch.uint8)
    wanted = 2 if pictures == COUNT else 6
    frames[wanted, :, : WIDTH // 2] = 255
    write_video(tmp_path / "mask.mp4", frames, 8.0)
    mask = read_mask(tmp_path / "mask.mp4", 2, clip_of())
    assert mask[:, : WIDTH // 2 - 2].all()
    assert not mask[:, WIDTH // 2 + 2 :].any()
    with pytest.raises(SettingsError, match="nothing is white"):
        read_mask(tmp_path / "mask.mp4", 3, clip_of())


def test_what_is_no_mask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        read_mask(tmp_path / "mask.png", 0, clip_of())
    for name in ("mask.png", "mask.mp4"):
        (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(SettingsError, match="mask"):
            read_mask(tmp_path / name, 0, clip_of())
    write_video(tmp_path / "mask.mp4", torch.zeros(2, HEIGHT, WIDTH, 3, dtype=torch.uint8), 8.0)
    with pytest.raises(SettingsError, match="has 2 pictures"):
        read_mask(tmp_path / "mask.mp4", 1, clip_of())
