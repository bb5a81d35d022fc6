"""What clips are called in the output."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from neoverse_ns.batch.clips import named_clips
from neoverse_ns.errors import ClipError


def folder_with(folder: Path, *names: str) -> Path:
    for name in names:
        if name.endswith("/"):
            (folder / name).mkdir(parents=True)
            Image.new("RGB", (8, 8)).save(folder / name / "0.png")
        else:
            (folder / name).write_bytes(b"x")
    return folder


def test_names_are_plain_and_differ(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path, "street.mp4", "Street.mov", "a/", "v1.5/", "odd:name?.mp4", "notes.txt", ".hidden/", "-x.mp4", "out/"
    )
    found = named_clips(folder, folder / "out")
    assert {name: path.name for name, path in found.items()} == {
        "-x": "-x.mp4",
        "Street.mov": "Street.mov",
        "a": "a",
        "odd_name_": "odd:name?.mp4",
        "street.mp4": "street.mp4",
        "v1.5": "v1.5",
    }


def test_names_that_stay_alike_are_numbered(tmp_path: Path) -> None:
    found = named_clips(folder_with(tmp_path, "a:.mp4", "a?.mp4"), tmp_path / "out")
    assert sorted(found) == ["a_.mp4_1", "a_.mp4_2"]


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="no folder of clips"):
        named_clips(tmp_path / "none", tmp_path / "out")
    with pytest.raises(ClipError, match="neither videos nor folders"):
        named_clips(folder_with(tmp_path, ".hidden/"), tmp_path / "out")
