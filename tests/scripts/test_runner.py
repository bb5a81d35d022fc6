"""The loop of every benchmark of clips."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from _benchmark.columns import Column
from _benchmark.report import Row
from _benchmark.runner import in_work_folder, measure_all, tables

from neoverse_ns.errors import ClipError

SECTIONS = {"Numbers": (Column("x", ("x",), 0),)}
REPORT = tables({"seed": 3}, SECTIONS, "Title")


def test_a_clip_that_fails_is_listed_and_does_not_stop_the_others(tmp_path: Path) -> None:
    file, seen = tmp_path / "a.json", []

    def broken() -> Row:
        seen.append(json.loads(file.read_text())["clips"])
        raise ClipError("b: the file is empty")

    jobs = [("a", lambda: {"clip": "a", "x": 1}), ("b", broken), ("c", lambda: {"clip": "c", "x": 3})]
    assert measure_all(jobs, REPORT, file, tmp_path / "a.md") == 1
    # What was measured before is on disk by then.
    assert seen == [[{"clip": "a", "x": 1}]]
    text = (tmp_path / "a.md").read_text()
    assert text.startswith("# Title\n\n- seed: 3\n")
    assert "| a | 1 |\n| c | 3 |" in text
    assert "- b: b: the file is empty" in text
    assert measure_all([("b", lambda: {"clip": "b", "x": 2})], REPORT, file, None, add=True) == 0
    assert [row["clip"] for row in json.loads(file.read_text())["clips"]] == ["a", "c", "b"]


def test_a_folder_is_there_and_goes_unless_it_was_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used: list[Path] = []

    def run(work: Path) -> int:
        assert work.is_dir()
        used.append(work)
        return 7

    assert in_work_folder(run, "runner-") == 7
    assert used[0].name.startswith("runner-")
    assert not used[0].exists()
    assert in_work_folder(run, "runner-", tmp_path) == 7
    assert used[1] == tmp_path

    def fail(work: Path) -> int:
        raise ClipError("no such folder of clips")

    assert in_work_folder(fail, "runner-") == 1
    assert "no such folder of clips" in capsys.readouterr().out
