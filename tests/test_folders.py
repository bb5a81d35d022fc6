"""Folders are tried without a trace, made with a word, and gone again where nothing came into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.folders import check_folder, folder_to_fill, make_folder


def test_trying_leaves_nothing(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    for below in ("file", "file/a/b"):
        with pytest.raises(OSError, match="file"):
            check_folder(tmp_path / below)


def test_making_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folder(tmp_path / "a" / "b")
    assert f"made the folder {tmp_path / 'a' / 'b'}" in capsys.readouterr().out
    make_folder(tmp_path / "a" / "b")
    assert capsys.readouterr().out == ""


def test_what_was_made_in_vain_goes_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "old").mkdir()

    def fail(folder: Path, file: Path | None = None) -> None:
        def fill() -> None:
            with folder_to_fill(folder):
                assert folder.is_dir()
                if file is not None:
                    file.write_text("half")
                raise ValueError("no such frame")

        with pytest.raises(ValueError, match="no such frame"):
            fill()

    fail(tmp_path / "old" / "a" / "b")
    fail(tmp_path / "old")
    assert list(tmp_path.rglob("*")) == [tmp_path / "old"], "what was there stays"
    fail(tmp_path / "new" / "a", tmp_path / "new" / "half")
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "half"]
    assert capsys.readouterr().out == ""
    with folder_to_fill(tmp_path / "c" / "d"):
        pass
    assert (tmp_path / "c" / "d").is_dir()
    assert "made the folder" in capsys.readouterr().out
