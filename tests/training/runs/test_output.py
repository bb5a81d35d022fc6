"""Folders of runs that cannot be written are told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.errors import RunError
from neoverse_ns.training.runs.output import check_output


def test_a_new_folder_is_no_trouble_and_is_not_made(tmp_path: Path) -> None:
    check_output(tmp_path)
    check_output(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "afile"
    file.write_text("kept")
    with pytest.raises(RunError, match="afile is a file"):
        check_output(file)
    for folder in (file / "below", Path("/proc/nothing")):
        with pytest.raises(RunError, match=f"cannot write to {folder}"):
            check_output(folder)
    assert file.read_text() == "kept"
