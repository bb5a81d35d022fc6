"""Jobs of the GPU check in processes of their own: what a bad one costs, who waits for whom, and when all ends."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from _gpu.jobs import BUILD, Case, Job, all_jobs, chosen_jobs, next_job
from _gpu.options import Options
from _gpu.session import run_session

STAND_IN = """
import os, time
from pathlib import Path
from _gpu.rows import Finding

def measure(settings, do="pass", mark=None, seconds=0.0):
    if mark is not None:
        Path(mark).write_text(str(os.getpid()))
    time.sleep(seconds)
    if do == "crash":
        print("about to crash", flush=True)
        os.abort()
    if do == "raise":
        raise ValueError("what was wrong\\nand more")
    if do == "memory":
        raise type("OutOfMemoryError", (RuntimeError,), {})("no room")
    values = {"gsplat": settings.gsplat, "pid": os.getpid(), "ended": time.time(), "nothing": float("nan")}
    return Finding("fine", values, do != "wrong")
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def job(name: str, *cases: Case, **values: Any) -> Job:
    settings = {"seconds": 1.0, "limit": 30.0, "imports": (), **values}
    return Job(name, "stand_in", cases or (Case(name),), **settings)


def run(tmp_path: Path, jobs: list[Job], minutes: float = 1.0, device: str = "cuda") -> tuple[int, dict[str, Any]]:
    """Exit code, and the rows of the JSON file by case."""
    options = Options(device, minutes=minutes, json=tmp_path / "gpu.json", markdown=tmp_path / "gpu.md")
    code = run_session(options, jobs)

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    rows = json.loads((tmp_path / "gpu.json").read_text(), parse_constant=refuse)["rows"]
    assert [row["case"] for row in rows] == [case.name for one in jobs for case in one.cases]
    assert (tmp_path / "gpu.md").read_text().count("\n| ") == 1 + len(rows)
    return code, {row["case"]: row for row in rows}


def test_a_bad_case_costs_its_own_row(tmp_path: Path) -> None:
    cases = [Case(do, {"do": do}) for do in ("pass", "crash", "raise", "memory", "wrong")]
    cases.insert(3, Case("hang", {"seconds": 60.0}))
    code, rows = run(tmp_path, [job("all", *cases, Case("last"), limit=8.0)])
    assert code == 1
    assert {name: row["status"] for name, row in rows.items()} == {
        **{"pass": "ok", "crash": "failed", "raise": "failed", "hang": "failed"},
        **{"memory": "failed", "wrong": "wrong", "last": "ok"},
    }
    assert "SIGABRT" in rows["crash"]["text"]
    assert "about to crash" in rows["crash"]["log"]
    assert rows["raise"]["text"] == "ValueError: what was wrong"
    assert "Traceback" in rows["raise"]["log"]
    assert "no result within 8 s" in rows["hang"]["text"]
    # Only memory that ran out, and figures that are wrong, leave a process fit for the next case.
    assert rows["wrong"]["values"]["pid"] == rows["last"]["values"]["pid"] != rows["pass"]["values"]["pid"]


def test_all_ends_with_the_time(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    jobs = [job("quick"), job("long", Case("long", {"mark": str(mark), "seconds": 120.0}), limit=200.0), job("never")]
    started = time.monotonic()
    code, rows = run(tmp_path, jobs, minutes=0.15)
    assert time.monotonic() - started < 25
    assert code == 0
    assert [rows[name]["status"] for name in ("quick", "long", "never")] == ["ok", "not run", "not run"]
    assert rows["never"]["text"] == "out of time"
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


@pytest.mark.parametrize("built", [True, False])
def test_the_build_runs_beside_what_does_not_need_it(tmp_path: Path, built: bool) -> None:
    build = Case("build", {"seconds": 4.0, "do": "pass" if built else "raise"})
    jobs = [
        job(BUILD, build, background=True),
        job("drawing", after=(BUILD,), needs=(BUILD,)),
        job("optimise", after=(BUILD,)),
        job("network"),
    ]
    _, rows = run(tmp_path, jobs)
    assert rows["network"]["status"] == rows["optimise"]["status"] == "ok"
    assert rows["network"]["values"]["gsplat"] is False
    assert rows["optimise"]["values"]["gsplat"] is built
    assert rows["drawing"]["status"] == ("ok" if built else "not run")
    if built:
        assert rows["build"]["values"]["gsplat"] is True
        order = ("network", "build", "drawing", "optimise")
        ends = [rows[name]["values"]["ended"] for name in order]
        assert ends == sorted(ends)
    else:
        assert BUILD in rows["drawing"]["text"]


def test_what_is_missing_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [job("cuda alone", cuda=True), job("poor", imports=("cv2", "no_such_package"))]
    code, rows = run(tmp_path, jobs, device="cpu")
    assert code == 0
    assert rows["cuda alone"]["text"] == "needs CUDA"
    assert rows["poor"]["text"] == "needs no_such_package: python -m pip install no_such_package"
    assert capsys.readouterr().err.count("\n") == 1


def test_less_important_jobs_leave_time_for_those_that_wait() -> None:
    first, second = job("first", seconds=30.0, after=("build",)), job("second", seconds=40.0)
    assert next_job([first, second], {"build"}, 1.0) is first
    assert next_job([first, second], set(), 70.0) is second
    assert next_job([first, second], set(), 69.0) is None
    assert next_job([second], set(), 1.0) is second


def test_a_chosen_job_brings_those_it_needs() -> None:
    jobs = all_jobs(Options())
    assert len({one.name for one in jobs}) == len(jobs)
    names = [one.name for one in chosen_jobs(jobs, ["optimise on cuda"])]
    assert names == ["machine", BUILD, "optimise on the CPU", "optimise on CUDA"]
    assert chosen_jobs(jobs, []) == jobs
