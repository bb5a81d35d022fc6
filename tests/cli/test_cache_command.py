"""`ns-neoverse cache`."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from neoverse_ns.cli.cache import List, Prune, parse_age
from neoverse_ns.errors import SettingsError
from tests.reconstruct.test_cache_limit import entry, names


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("NEOVERSE_CACHE_LIMIT", "2.5kB")
    monkeypatch.setenv("COLUMNS", "200")
    for number, days in enumerate((1, 10, 40)):
        entry(tmp_path, number, days * 86_400 + 60)
    return tmp_path


def test_list_says_what_there_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    List().run()
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split("│") for line in lines if ".mp4" in line]
    assert [(row[2].strip(), row[3].strip(), row[5].strip()) for row in rows] == [
        ("clip0.mp4", "3", "24 hours ago"), ("clip1.mp4", "3", "10 days ago"), ("clip2.mp4", "3", "40 days ago")
    ]  # fmt: skip
    assert f"3 reconstructions in {root}" in lines[-1]
    assert lines[-1].endswith("of 2.5 kB")


def test_prune_by_age_size_limit_and_all(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Prune(older_than="30d", dry_run=True).run()
    assert "1 reconstructions, 1.1 kB, would be removed from" in capsys.readouterr().out
    assert len(names(root)) == 3
    Prune(older_than="30d").run()
    assert names(root) == [f"{0:024x}", f"{1:024x}"]
    Prune().run()
    assert len(names(root)) == 2
    Prune(to_size="1.5kB").run()
    assert names(root) == [f"{0:024x}"]
    Prune(all=True).run()
    assert names(root) == []
    assert "0 bytes stay" in capsys.readouterr().out.splitlines()[-1]


def test_age_and_size_together_count_each_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Prune(older_than="30d", to_size="1.5kB", dry_run=True).run()
    assert "2 reconstructions" in capsys.readouterr().out.splitlines()[-1]


def test_nonsense_is_refused(root: Path) -> None:
    for text in ("30", "d", "-3d", "3 years", ""):
        with pytest.raises(SettingsError, match="--older-than must be an age"):
            parse_age(text)
    assert parse_age("1.5h") == 5400
    with pytest.raises(SettingsError, match="--all removes everything"):
        Prune(all=True, to_size="1GB").run()
    with pytest.raises(SettingsError, match="--to-size"):
        Prune(to_size="much").run()
    for command in (List(cache_dir=root / "gone"), Prune(cache_dir=root / "gone", all=True)):
        with pytest.raises(SettingsError, match="gone: there is no such folder"):
            command.run()
    assert len(names(root)) == 3


def test_an_entry_without_a_time_is_the_oldest(root: Path) -> None:
    os.utime(root / "scenes" / f"{1:024x}" / "scene.json", (time.time(),) * 2)
    Prune(to_size="1.5kB").run()
    assert names(root) == [f"{1:024x}"]
