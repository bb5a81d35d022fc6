"""What a browser names stays inside the run folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.plugin.viewer.run_files import LONGEST, inside, safe_name


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("path", "path"),
        ("../../etc/passwd", "etc-passwd"),
        ("/absolute", "absolute"),
        ("C:\\windows\\x", "C-windows-x"),
        ("two words.v2", "two-words.v2"),
        ("..hidden", "hidden"),
        ("a\x00b\nc", "a-b-c"),
        ("ümlaut", "mlaut"),
    ],
)
def test_names_lose_what_leads_elsewhere(asked: str, name: str, tmp_path: Path) -> None:
    assert safe_name(asked) == name
    assert inside(tmp_path, "folder", f"{asked}.json").parent == tmp_path / "folder"


@pytest.mark.parametrize("asked", ["", "..", "///", "日本", "-.-"])
def test_nothing_is_no_name(asked: str) -> None:
    with pytest.raises(SettingsError, match="no name for a file"):
        safe_name(asked)


def test_long_names_are_cut() -> None:
    assert len(safe_name("x" * 500)) == LONGEST


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    run.mkdir()
    elsewhere.mkdir()
    (run / "videos").symlink_to(elsewhere)
    with pytest.raises(SettingsError, match="outside the run folder"):
        inside(run, "videos", "a.mp4")
    assert list(elsewhere.iterdir()) == []
