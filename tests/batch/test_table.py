"""What the table says."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from rich.console import Console

from neoverse_ns.batch.survey import StepState
from neoverse_ns.batch.table import BatchTable, Row
from tests.batch.small_steps import job_of


def table(folder: Path) -> BatchTable:
    a, b, c = (job_of(folder, name, "x") for name in ("a[red]", "b", "c"))
    make, use = a.steps
    return BatchTable(
        [
            Row(a, [StepState(make, "done", "1", None, 2.5, numbers={"psnr": 25.0}, finished=0.0)]),
            Row(b, [StepState(make, "failed", "1", reason='no "video", [bold]'), StepState(use, "waiting", "2")]),
            Row(c, [StepState(make, "to do", "1")], "its disk is full"),
        ]
    )


def test_states_counts_and_reasons(tmp_path: Path) -> None:
    found = table(tmp_path)
    assert [row.state for row in found.rows] == ["done", "failed", "failed"]
    assert found.counts() == "1 done, 2 failed"
    assert not found.all_done
    assert [line for row in found.rows for line in row.reasons()] == [
        'b, make: no "video", [bold]',
        "c: its disk is full",
    ]
    killed = Row(found.rows[0].job, [StepState(found.rows[0].job.steps[0], "killed", "1", reason="gone")])
    assert killed.state == "killed"
    assert BatchTable([]).counts() == "no clips"


def test_files_are_read_back_by_any_program(tmp_path: Path) -> None:
    table(tmp_path).write(tmp_path)
    document = json.loads((tmp_path / "batch.json").read_text("utf8"))
    assert document["counts"] == {"done": 1, "failed": 2}
    assert document["clips"][0]["steps"][0] == {
        "step": "make", "state": "done", "seconds": 2.5, "finished": "1970-01-01T00:00:00Z", "output": "a[red]/make",
        "reason": "", "numbers": {"psnr": 25.0},
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((tmp_path / "batch.csv").read_text("utf8"))))
    assert [(row["clip"], row["step"], row["state"]) for row in rows] == [
        ("a[red]", "make", "done"), ("b", "make", "failed"), ("b", "use", "waiting"), ("c", "make", "to do"),
        ("c", "", "failed"),
    ]  # fmt: skip
    assert rows[1]["reason"] == 'no "video", [bold]'
    assert rows[0]["numbers"] == "psnr=25"
    assert not list(tmp_path.glob(".writing*"))


def test_it_is_shown_as_it_is_called(tmp_path: Path) -> None:
    console = Console(width=120, file=io.StringIO())
    console.print(table(tmp_path).shown())
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "a[red]" in shown
    assert "done 2.5 s, psnr 25.00" in shown
    assert "waiting" in shown
